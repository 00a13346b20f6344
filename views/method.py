from views.frame import draw


def show() -> None:
    draw("method", "Method", lambda at: None)
