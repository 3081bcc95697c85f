"""The pages whose models run in the visitor's browser: here they are only served, as files."""
