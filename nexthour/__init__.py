"""The product around the two libraries sim and optimize: own numbers, words, files, terminal, app."""


def version() -> str:
    """The version of the installed distribution."""
    from importlib.metadata import version as installed

    return installed("nexthour")
