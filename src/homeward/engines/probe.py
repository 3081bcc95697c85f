"""Asking an engine for its pulse."""

import asyncio

import aiohttp


async def answers(url: str, api_key: str, timeout_seconds: float) -> bool:
    """Whether a GET of this URL gives 200 in time. A stopped process accepts connections and says nothing."""
    headers = {"Authorization": f"Bearer {api_key}"}
    try:
        async with (
            asyncio.timeout(timeout_seconds),
            aiohttp.ClientSession(trust_env=False) as session,  # never through a proxy
            session.get(url, headers=headers, allow_redirects=False) as response,
        ):
            return response.status == 200
    except (TimeoutError, OSError, aiohttp.ClientError):
        return False
