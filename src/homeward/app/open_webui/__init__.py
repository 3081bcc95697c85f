"""`homeward open-webui`: Open WebUI in an environment of its own, wired to this Homeward.

It is somebody else's program under a licence of its own: it is installed from its package and started with settings,
never changed, copied or passed on.
"""
