"""A person with a Discord client, who types commands, presses buttons and writes messages.

A person can do only what a client offers; anything else raises LookupError.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from tests.fakes.streams import within

from . import forms, payloads
from .compose import mentioned
from .gateway import Intent
from .interaction import Answer, Interaction, Kind
from .model import Attachment, Channel, Json, Message, MessageType, User
from .world import World

OFFERED = 30.0
"""Seconds to wait until the bot's commands are offered."""

SLASH, MESSAGE_MENU = 1, 3


@dataclass(eq=False, kw_only=True, repr=False)
class Person(User):
    """A person who acts in `home` unless another channel is given.

    Where a method takes a message, any earlier snapshot of it will do: the method uses the message
    as it is now.
    """

    world: World
    home: Channel

    @property
    def dm(self) -> Channel:
        """This person's direct messages with the bot."""
        return self.world.dm(self)

    async def slash(
        self,
        name: str,
        /,
        *,
        channel: Channel | None = None,
        options: Mapping[str, object] | None = None,
        **values: object,
    ) -> Interaction:
        """Use a slash command.

        A subcommand is named by its words, such as "admin quota set". Options are keywords; an
        option whose name is taken, such as "channel", goes into `options`. None leaves an option
        out.
        """
        root, *path = name.split()
        command = await self._offered(root, SLASH, channel)
        given = {**values, **(options or {})}
        chosen = {option: value for option, value in given.items() if value is not None}
        data = forms.slash_data(command, path, chosen, (channel or self.home).guild)
        return self._interact(Kind.COMMAND, data, channel)

    async def autocomplete(
        self,
        name: str,
        /,
        *,
        focused: str,
        value: str = "",
        options: Mapping[str, object] | None = None,
        channel: Channel | None = None,
        timeout: float = 10,
    ) -> list[Json]:
        """Type into an option and return the choices that the bot offers."""
        root, *path = name.split()
        command = await self._offered(root, SLASH, channel)
        data = forms.typing_data(command, path, options or {}, focused, value)
        response = await self._interact(Kind.AUTOCOMPLETE, data, channel).answered(timeout)
        choices: list[Json] = response.data["choices"]
        return choices

    async def message_command(self, name: str, message: Message) -> Interaction:
        """Right-click a message and choose an app's command; the bot gets the whole message."""
        command = await self._offered(name, MESSAGE_MENU, message.channel)
        target = self._now(message)
        data = {
            "id": command["id"],
            "name": name,
            "type": MESSAGE_MENU,
            "target_id": str(target.id),
            "resolved": {"messages": {str(target.id): payloads.message(target)}},
        }
        return self._interact(Kind.COMMAND, data, message.channel)

    async def press(self, message: Message, button: str) -> Interaction:
        """Press a button, named by its custom id or its label."""
        return self._use(message, button, {})

    async def choose(self, message: Message, menu: str, *values: str) -> Interaction:
        """Pick values from a select menu, named by its custom id."""
        return self._use(message, menu, {"values": list(values)})

    async def submit_modal(
        self, interaction: Interaction, values: Mapping[str | int, object]
    ) -> Interaction:
        """Submit the modal that answered an interaction; see `forms.modal_data` for the names of
        fields.
        """
        response = interaction.response
        if response is None or response.type is not Answer.MODAL:
            raise LookupError(f"no modal is open: {response}")
        data = forms.modal_data(response.data, values, interaction.channel.guild)
        message = None if interaction.message is None else self._now(interaction.message)
        return self._interact(Kind.MODAL, data, interaction.channel, message)

    async def say(
        self,
        text: str,
        *,
        attachments: Sequence[Attachment] = (),
        mentions_bot: bool = False,
        reply_to: Message | None = None,
        channel: Channel | None = None,
        stickers: Sequence[Json] = (),
        embeds: Sequence[Json] = (),
    ) -> Message:
        """Write a message.

        `mentions_bot` puts a mention before the text; `embeds` are the previews that Discord shows
        of links in the text.
        """
        world, place = self.world, channel or self.home
        content = f"<@{world.bot.id}> {text}".strip() if mentions_bot else text
        target = None if reply_to is None else self._now(reply_to)
        mentions = mentioned(world, content, target)
        message = Message(
            id=world.ids.next(),
            channel=place,
            author=self,
            written_at=world.clock(),
            type=MessageType.PLAIN if target is None else MessageType.REPLY,
            content=content,
            attachments=tuple(attachments),
            stickers=tuple(stickers),
            embeds=tuple(embeds),
            reference=None if target is None else target.id,
            mentions=mentions,
            pings=frozenset(user.id for user in mentions),
        )
        world.post(message)
        return message

    async def forward(self, message: Message, *, channel: Channel | None = None) -> Message:
        """Forward a message without a comment."""
        world = self.world
        passed_on = Message(
            id=world.ids.next(),
            channel=channel or self.home,
            author=self,
            written_at=world.clock(),
            forwarded=self._now(message),
        )
        world.post(passed_on)
        return passed_on

    async def edit(self, message: Message, text: str) -> Message:
        """Edit the text of a message of one's own. Mentions are read again, as Discord does."""
        before = self._now(message)
        changed = replace(
            before,
            content=text,
            edited_at=self.world.clock(),
            mentions=mentioned(self.world, text, None),
        )
        self.world.edit(changed)
        return changed

    async def delete(self, message: Message) -> None:
        """Delete a message of one's own, or anybody's as a moderator."""
        self.world.remove(self._now(message))

    def _use(self, message: Message, control: str, more: Json) -> Interaction:
        standing = self._now(message)
        if standing.seen_by not in (None, self):
            raise LookupError(f"{self} does not see {message}")
        found = forms.find_control(standing.components, control)
        data = {"custom_id": found["custom_id"], "component_type": found["type"]} | more
        return self._interact(Kind.COMPONENT, data, standing.channel, standing)

    def _now(self, message: Message) -> Message:
        standing = message.channel.messages.get(message.id)
        if standing is None:
            raise LookupError(f"{message} is gone")
        return standing

    async def _offered(self, name: str, kind: int, channel: Channel | None) -> Json:
        """Return the command that a person is offered, and wait until commands are registered: on a
        busy machine that happens after the bot has connected.
        """
        with suppress(TimeoutError):
            await within(OFFERED, self.world.offers, "")
        place = channel or self.home
        owners = payloads.interaction_owners(place, self)
        return forms.offered(self.world.commands, name, kind, place, owners)

    def _interact(
        self, kind: Kind, data: Json, channel: Channel | None, message: Message | None = None
    ) -> Interaction:
        world, place = self.world, channel or self.home
        owners = payloads.interaction_owners(place, self)
        if message is not None and message.origin is not None:
            owners = message.origin.owners  # who installed the app there
        interaction = Interaction(
            id=world.interaction_ids.next(),
            kind=kind,
            user=self,
            channel=place,
            data=data,
            upload_limit=max(world.upload_limit(place), self.upload_limit),
            owners=owners,
            sent_at=world.clock(),
            message=message,
        )
        world.interactions[interaction.token] = interaction
        shown = payloads.interaction(interaction, world.bot)
        interaction.delivered = world.tell(Intent(0), "INTERACTION_CREATE", shown)
        return interaction
