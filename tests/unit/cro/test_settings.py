"""Wrong settings are refused with the name of the field."""

import pytest

from racro.base.wrong_settings import WrongSettingsError
from racro.cro.settings import RewardFile, read_settings

GOOD = """
[training]
learning_rate = 1e-6

[reward]
urls = ["http://127.0.0.1:8002/v1/"]
model = "r1"
terms = {leak = 0.5}
"""


def test_a_table_beside_the_trainers_is_read(tmp_path) -> None:
    path = tmp_path / "cro.toml"
    path.write_text(GOOD)
    settings = read_settings(path, RewardFile).reward
    assert settings.urls == ("http://127.0.0.1:8002/v1",)
    assert (settings.terms.leak, settings.terms.format, settings.rollouts) == (0.5, 0, 1)
    assert settings.sampling.model_dump(exclude_none=True) == {
        "temperature": 0.6,
        "top_p": 0.95,
        "max_tokens": 8192,
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "reward: Field required"),
        ('[reward]\nmodel = "r1"', "reward.urls: Field required"),
        (GOOD.replace("http:", "ftp:"), "reward.urls.0"),
        (GOOD.replace('["http://127.0.0.1:8002/v1/"]', "[]"), "reward.urls"),
        (GOOD.replace("leak = 0.5", "leak = -1"), "reward.terms.leak"),
        (GOOD + "rollouts = 0", "reward.rollouts"),
        (GOOD + "rolouts = 4", "reward.rolouts: Extra inputs"),
        (GOOD + 'api_key_env = "NO_SUCH_KEY"', "variable NO_SUCH_KEY is not set"),
        (GOOD + "prompt_profile = 'chat-v1'", "reward.prompt_profile"),
        ("[reward", "cannot be read"),
    ],
)
def test_wrong_settings_are_named(tmp_path, text, said) -> None:
    path = tmp_path / "cro.toml"
    path.write_text(text)
    with pytest.raises(WrongSettingsError, match=f"cro.toml.*{said}"):
        read_settings(path, RewardFile)


def test_a_file_that_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(WrongSettingsError, match=r"none\.toml cannot be read"):
        read_settings(tmp_path / "none.toml", RewardFile)
