"""Routes by which a bot answers interactions: the callback, the original response, follow-ups.

They need no bot token: the interaction's own token grants access for a limited time.
"""

from dataclasses import replace

from .checks import check_components
from .compose import compose, revise
from .interaction import Answer, Interaction, Kind, Response
from .model import Json, Message, MessageFlag, MessageType, Origin
from .payloads import message as message_payload
from .rest import Body, Refused, Request, Route, invalid
from .world import World

ANSWER_SECONDS = 3
TOKEN_SECONDS = 15 * 60
FOLLOWUPS_IF_ONLY_USER_INSTALLED = 5

ALLOWED: dict[Kind, set[Answer]] = {
    Kind.COMMAND: {Answer.MESSAGE, Answer.THINKING, Answer.MODAL},
    Kind.COMPONENT: set(Answer) - {Answer.CHOICES},
    Kind.AUTOCOMPLETE: {Answer.CHOICES},
    Kind.MODAL: set(Answer) - {Answer.CHOICES, Answer.MODAL},
}


class ResponseRoutes:
    """The routes below /interactions and /webhooks."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Return the table of routes."""
        one = "/webhooks/{app}/{token}/messages/{message}"
        return [
            Route("POST", "/interactions/{number}/{token}/callback", self.callback),
            Route("POST", "/webhooks/{app}/{token}", self.follow_up),
            Route("GET", one, self.message),
            Route("PATCH", one, self.edit),
            Route("DELETE", one, self.delete),
        ]

    def callback(self, request: Request, number: int, token: str) -> Body:
        """Take the first answer, which is allowed once and within three seconds."""
        world = self._world
        interaction = world.interactions.get(token)
        if interaction is None or interaction.id != number:
            raise Refused(404, 10062, "Unknown interaction")
        if interaction.response is not None:
            raise Refused(400, 40060, "Interaction has already been acknowledged.")
        if world.clock() - interaction.sent_at > ANSWER_SECONDS:
            raise Refused(404, 10062, "Unknown interaction")
        kind = request.json["type"]
        if kind not in ALLOWED[interaction.kind] or (
            kind in (Answer.DEFERRED_UPDATE, Answer.UPDATE) and interaction.message is None
        ):
            raise invalid("type", "Invalid interaction response type.")
        response = self._answer(interaction, Answer(kind), request)
        interaction.answer(response)
        world.acknowledged.add(interaction)
        return _acknowledgement(interaction, response) if "with_response" in request.query else None

    def follow_up(self, request: Request, app: int, token: str) -> Body:
        """Post a further message. The first one after "is thinking" replaces that message."""
        world = self._world
        interaction = self._open(token)
        original = interaction.original
        if original is not None and original.loading:
            return self._rewrite(original, interaction, request)
        only_user = "0" not in interaction.owners
        if only_user and len(interaction.followup_ids) >= FOLLOWUPS_IF_ONLY_USER_INSTALLED:
            raise Refused(400, 40094, "This interaction has reached the maximum of follow-ups")
        message = self._compose(
            interaction, request, request.json, original=interaction.original_id
        )
        interaction.followup_ids.append(message.id)
        world.post(message)
        return message_payload(message)

    def message(self, _: Request, app: int, token: str, message: int | str) -> Body:
        """Return the original response or a follow-up."""
        return message_payload(self._find(self._open(token), message))

    def edit(self, request: Request, app: int, token: str, message: int | str) -> Body:
        """Edit the original response or a follow-up."""
        interaction = self._open(token)
        return self._rewrite(self._find(interaction, message), interaction, request)

    def delete(self, _: Request, app: int, token: str, message: int | str) -> Body:
        """Delete the original response or a follow-up."""
        self._world.remove(self._find(self._open(token), message))
        return None

    def _answer(self, interaction: Interaction, kind: Answer, request: Request) -> Response:
        data: Json = request.json.get("data") or {}
        message: Message | None = None
        match kind:
            case Answer.MESSAGE:
                message = self._compose(interaction, request, data)
            case Answer.THINKING:
                message = self._thinking(interaction, data)
            case Answer.UPDATE:
                message = self._update(interaction, request, data)
            case Answer.MODAL:
                _check_modal(data)
            case Answer.CHOICES:
                _check_choices(data)
            case Answer.DEFERRED_UPDATE:
                pass
        if kind in (Answer.MESSAGE, Answer.THINKING) and message is not None:
            interaction.original_id = message.id
            self._world.post(message)
        elif interaction.message is not None:
            interaction.original_id = interaction.message.id
        return Response(type=kind, data=data, message=message)

    def _compose(
        self, interaction: Interaction, request: Request, data: Json, original: int | None = None
    ) -> Message:
        limit = interaction.upload_limit
        message = compose(self._world, interaction.channel, data, request.files, limit)
        return _mark(message, interaction, data, original)

    def _thinking(self, interaction: Interaction, data: Json) -> Message:
        world = self._world
        blank = Message(
            id=world.ids.next(),
            channel=interaction.channel,
            author=world.bot,
            written_at=world.clock(),
            flags=MessageFlag.LOADING,
        )
        return _mark(blank, interaction, data, None)

    def _update(self, interaction: Interaction, request: Request, data: Json) -> Message:
        assert interaction.message is not None
        standing = interaction.channel.messages.get(interaction.message.id)
        if standing is None:
            raise Refused(404, 10008, "Unknown Message")
        limit = interaction.upload_limit
        self._world.edit(revise(self._world, standing, data, request.files, limit))
        return interaction.channel.messages[standing.id]

    def _rewrite(self, before: Message, interaction: Interaction, request: Request) -> Json:
        limit = interaction.upload_limit
        after = revise(self._world, before, request.json or {}, request.files, limit)
        self._world.edit(after)
        return message_payload(after)

    def _open(self, token: str) -> Interaction:
        interaction = self._world.interactions.get(token)
        if interaction is None or self._world.clock() - interaction.sent_at > TOKEN_SECONDS:
            raise Refused(401, 50027, "Invalid Webhook Token")
        if interaction.response is None:
            raise Refused(404, 10015, "Unknown Webhook")
        return interaction

    def _find(self, interaction: Interaction, number: int | str) -> Message:
        own = [interaction.original_id, *interaction.followup_ids]
        wanted = interaction.original_id if number == "@original" else number
        found = interaction.channel.messages.get(int(wanted or 0))
        if found is None or found.id not in own:
            raise Refused(404, 10008, "Unknown Message")
        return found


def _mark(message: Message, interaction: Interaction, data: Json, original: int | None) -> Message:
    """Return the message marked as the answer to an interaction, with its origin and its reader."""
    hidden = bool(int(data.get("flags") or 0) & MessageFlag.EPHEMERAL)
    target = interaction.data.get("target_id")
    origin = Origin(
        interaction=interaction.id,
        type=interaction.kind,
        user=interaction.user,
        owners=interaction.owners,
        original=original,
        target=None if target is None else int(target),
    )
    answers_command = interaction.kind is Kind.COMMAND and original is None
    command_type = MessageType.SLASH_RESPONSE if target is None else MessageType.MENU_RESPONSE
    return replace(
        message,
        type=command_type if answers_command else message.type,
        origin=origin,
        flags=message.flags | (MessageFlag.EPHEMERAL if hidden else MessageFlag(0)),
        seen_by=interaction.user if hidden else None,
        pings=frozenset() if hidden else message.pings,
    )


def _check_modal(data: Json) -> None:
    if not 1 <= len(data.get("title") or "") <= 45:
        raise invalid("data.title", "Must be between 1 and 45 in length.")
    if not 1 <= len(data["components"]) <= 5:
        raise invalid("data.components", "Must be between 1 and 5 in length.")
    check_components(data["components"])


def _check_choices(data: Json) -> None:
    if len(data["choices"]) > 25:
        raise invalid("data.choices", "Must be 25 or fewer in length.")
    for choice in data["choices"]:
        if not 1 <= len(choice["name"]) <= 100 or len(str(choice["value"])) > 100:
            raise invalid("data.choices.name", "Must be between 1 and 100 in length.")


def _acknowledgement(interaction: Interaction, response: Response) -> Json:
    shown: Json = {"id": str(interaction.id), "type": int(interaction.kind)}
    resource: Json = {"type": int(response.type)}
    if response.message is not None:
        shown |= {
            "response_message_id": str(response.message.id),
            "response_message_loading": response.message.loading,
            "response_message_ephemeral": response.message.ephemeral,
        }
        resource["message"] = message_payload(response.message)
    return {"interaction": shown, "resource": resource}
