"""Why a training does not begin, or stops before its end. The messages are for the user.

What is wrong with its configuration is WrongSettingsError.
"""

NO_REWARD = (
    "the reasoner stayed away or failed; the same command goes on from the last whole checkpoint"
)


class TrainingError(Exception):
    """The tree:

    TrainingError
    ├── WrongBase       no model to train, or not the one that it should be
    ├── WrongData       a file that cannot be read, or too little in it
    ├── AnotherRun      the output folder holds a training that was begun with something else
    └── Stopped         it cannot go on; what was saved before is as it was
    """


class WrongBase(TrainingError): ...


class WrongData(TrainingError): ...


class AnotherRun(TrainingError): ...


class Stopped(TrainingError): ...
