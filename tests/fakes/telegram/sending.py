"""The methods that put a new message into a chat."""

from dataclasses import replace

from .access import check_right, reply_target, topic_of, writable_chat
from .calls import Call, Method, bad, method
from .keyboards import odd_buttons, read_markup
from .media import read_media
from .model import Chat, Json, Kind, Message
from .payloads import message as shown
from .rates import Rates
from .text import CAPTION_LIMIT, TEXT_LIMIT, format_text
from .world import World

COMMON = (
    "chat_id message_thread_id parse_mode disable_notification protect_content message_effect_id "
    "reply_parameters reply_markup direct_messages_topic_id "
)
NO_PREVIEW = "Can't parse link preview options JSON object"
CAPTION = "caption caption_entities "

RIGHTS = {
    Kind.PHOTO: "photos",
    Kind.VIDEO: "videos",
    Kind.ANIMATION: "animations",
    Kind.DOCUMENT: "documents",
}

ACTIONS = {
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice",
    "upload_document", "choose_sticker", "find_location", "record_video_note", "upload_video_note",
}  # fmt: skip


class Sending:
    """The methods sendMessage and similar."""

    def __init__(self, world: World, rates: Rates) -> None:
        self._world = world
        self._rates = rates

    def methods(self) -> list[Method]:
        """Return the table of methods."""
        text = COMMON + "text entities link_preview_options"
        above = COMMON + CAPTION + "show_caption_above_media has_spoiler "
        video = above + "video duration width height thumbnail cover start_timestamp "
        document = COMMON + CAPTION + "document thumbnail disable_content_type_detection"
        action = "chat_id message_thread_id action"
        return [
            method("sendMessage", text, self.send_message),
            method("sendVideo", video + "supports_streaming", self.send_video),
            method("sendDocument", document, self.send_document),
            method("sendPhoto", above + "photo", self.send_photo),
            method("sendChatAction", action, self.send_chat_action),
        ]

    def send_message(self, call: Call) -> Json:
        """Post a text."""
        chat = self._chat(call)
        if not call.text("text"):
            raise bad("Message text is empty")
        entities = call.parsed("entities", "Can't parse entities JSON object")
        text, marked = format_text(
            call.text("text"), call.text("parse_mode"), entities, limit=TEXT_LIMIT
        )
        if not text:
            raise bad("Text must be non-empty")
        check_right(chat, self._world, "messages")
        preview = call.parsed("link_preview_options", NO_PREVIEW)
        message = self._draft(call, chat)
        return self._post(replace(message, text=text, entities=marked, preview=preview))

    def send_video(self, call: Call) -> Json:
        """Post a video."""
        return self._send_media(call, Kind.VIDEO)

    def send_document(self, call: Call) -> Json:
        """Post a file unchanged."""
        return self._send_media(call, Kind.DOCUMENT)

    def send_photo(self, call: Call) -> Json:
        """Post a photo."""
        return self._send_media(call, Kind.PHOTO)

    def send_chat_action(self, call: Call) -> bool:
        """Show that the bot is busy."""
        if call.text("action") not in ACTIONS:
            raise bad("Wrong parameter action in request")
        chat = writable_chat(self._world, call)
        topic_of(call, chat)
        self._world.act(chat, call.text("action"))
        return True

    def _send_media(self, call: Call, kind: Kind) -> Json:
        chat = self._chat(call)
        entities = call.parsed("caption_entities", "Can't parse caption entities JSON object")
        text, marked = format_text(
            call.text("caption"), call.text("parse_mode"), entities, limit=CAPTION_LIMIT
        )
        media = read_media(self._world, call, call.raw, kind)
        if media is None:
            raise bad(f"There is no {kind} in the request")
        check_right(chat, self._world, RIGHTS[media.kind])
        message = replace(
            self._draft(call, chat),
            text=text,
            entities=marked,
            media=media,
            caption_above=call.flag("show_caption_above_media"),
        )
        return self._post(message)

    def _chat(self, call: Call) -> Chat:
        chat = writable_chat(self._world, call)
        self._rates.count(call.method, chat)
        return chat

    def _draft(self, call: Call, chat: Chat) -> Message:
        """Return a message with everything but its content."""
        world = self._world
        if chat.is_direct_messages and not call.integer("direct_messages_topic_id"):
            raise bad("direct messages topic must be specified")
        topic = topic_of(call, chat)
        target, given = reply_target(world, call, chat)
        markup = read_markup(call)
        world.complaints += odd_buttons(markup)
        # A reply without a topic of its own goes into the topic of the message replied to.
        if target is not None and topic is None and target.chat is chat:
            topic = target.topic
        near = target is not None and target.chat is chat and target.topic is topic
        if topic is not None and topic.is_closed:
            raise bad("TOPIC_CLOSED")
        return Message(
            id=world.next_message_id(chat),
            chat=chat,
            written_at=world.clock(),
            author=world.bot,
            markup=markup,
            reply_to=target.id if target is not None and near else None,
            external_reply=None if near else target,
            quote=str(given.get("quote", "")),
            topic=topic,
            silent=call.flag("disable_notification"),
            protected=call.flag("protect_content"),
        )

    def _post(self, message: Message) -> Json:
        answer = shown(self._world.post(message))
        if self._world.quirks.zero_ids:
            self._world.quirks.zero_ids -= 1
            answer["message_id"] = 0
        return answer
