"""Where the pages stand in Homeward."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from homeward.browser.files import HEADERS, PAGES, Models, browser_app

BRIDGE = "bridge.js"
"""By which the chat's page runs a model itself."""

NOT_BUILT = (
    "The pages that run models in your browser were not built when this Homeward was installed; "
    "everything else works.\n\nTo build them, install Node 20.19 or later and run: make pages\n\n"
    "브라우저에서 모델을 실행하는 페이지가 빌드되지 않았습니다. 나머지는 모두 작동합니다.\n"
    "Node 20.19 이상을 설치하고 make pages 를 실행하세요.\n"
)


def built() -> bool:
    """Whether there are pages to serve."""
    return (PAGES / BRIDGE).is_file()


def browser_routes(models: Models) -> list[BaseRoute]:
    """`/browser/` with these models below it; a sentence in its place where the pages are not built."""
    whole = Route("/browser", lambda _: RedirectResponse("/browser/", 308))
    if not built():
        return [whole, Route("/browser/{place:path}", not_built)]
    return [whole, Mount("/browser", browser_app(PAGES, models))]


async def not_built(_: Request) -> Response:
    """What is said in place of the pages."""
    return PlainTextResponse(NOT_BUILT, 404, HEADERS)
