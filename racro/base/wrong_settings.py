"""The error of settings that cannot be right."""


class WrongSettingsError(Exception):
    """Settings that cannot be right; `problems` has a line for each, with the field's name."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))

    @property
    def told(self) -> str:
        """What a process that ends for it writes to stderr."""
        return "\n".join(["wrong settings:", *(f"  {problem}" for problem in self.problems)])
