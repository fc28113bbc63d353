"""The pages on which a gateway tells its models and its version."""

from collections.abc import Callable

from aiohttp import web

from bot.simulator.profiles import Profile


def routes(profile: Profile, check_key: Callable[[web.Request], object]) -> list[web.RouteDef]:
    """Return the routes of a gateway's lists. `check_key` raises `Refused` for a bad key."""

    async def models(request: web.Request) -> web.Response:
        if not profile.public:
            check_key(request)
        return web.json_response(profile.listed(request.query))

    async def abilities(_: web.Request) -> web.Response:
        return web.json_response(profile.abilities())

    async def status(_: web.Request) -> web.Response:
        data = {"version": profile.version, "system_name": "New API"}
        return web.json_response({"success": True, "message": "", "data": data})

    pages = [web.get("/api/status", status)] if profile.version else []
    for base in profile.bases:
        pages.append(web.get(f"{base}/models", models))
        if profile.abilities() is not None:
            pages.append(web.get(f"{base}/videos/models", abilities))
    return pages
