"""What keeps a demo from starting; the terminal says it in Dutch and English. Nothing was changed."""

from pathlib import Path

from zorgid.kernel.errors import Refusal


class DemoRunsAlready(Refusal):
    """Another demo uses this folder now; whoever starts one uses that, ends it, or takes another folder."""

    code = "demo-runs-already"

    def __init__(self, *, folder: Path, process: str, origin: str, elsewhere: str) -> None:
        super().__init__(folder=folder, process=process, origin=origin, elsewhere=elsewhere)


class FolderOfOtherPorts(Refusal):
    """The UZI cards in this folder name other ports; whoever starts a demo takes those, or another folder."""

    code = "demo-folder-of-other-ports"

    def __init__(self, *, folder: Path, made_for: int, asked: int, there: str, elsewhere: str) -> None:
        super().__init__(folder=folder, made_for=made_for, asked=asked, there=there, elsewhere=elsewhere)


class DemoPortTaken(Refusal):
    """Another program listens on a port of the demo; whoever starts one ends that, or takes other ports."""

    code = "demo-port-taken"

    def __init__(self, *, port: int, elsewhere: str) -> None:
        super().__init__(port=port, elsewhere=elsewhere)
