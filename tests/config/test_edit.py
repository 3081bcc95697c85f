"""Saving into the user's own file: what need not change stays as it was written."""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homeward.config import BudgetSettings, PolicySettings, PrivacySettings, Rule, When, edit, load
from homeward.config.edit import ConfigFile, config_file, save_tables
from homeward.config.policy import NAMES_OF_PRESETS, NOT_RULES
from homeward.config.show import written, written_key
from homeward.config.table import Table
from homeward.protocol.errors import ConfigError

OWN = """\
# My Homeward.
port = 9000  # not the usual one

[policy]
# Never while I am on a train.
preset = "by-task"  # suits me

# Code stays here.
[[policy.rules]]
name = "code"
when = {task = ["code"], findings = true}  # all of it
use = ["device"]

# ---- at night ----

[[policy.rules]]
name = "night"
use = ["cloud", "device"]
[policy.rules.when]
# when it is cheap
hours = "22:00-06:00"

# The cloud of the office.
[clouds.azure]
kind = "azure"
url = "https://my.openai.azure.com"
model = "gpt"
api_key = "canary"

[privacy]
deny = [
  "Aquila",  # the project
  # the boss
  "Kim Minji",
]
"""
CODE = Rule(name="code", when=When(task=("code",), findings=True), use=("device",))
NIGHT = Rule(name="night", when=When(hours="22:00-06:00"), use=("cloud", "device"))
POLICY = PolicySettings(preset="by-task", rules=(CODE, NIGHT))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "homeward.toml"
    path.write_text(OWN, encoding="utf-8")
    return path


def saved(path: Path, **tables: Table) -> str:
    """The file's text after saving; the settings in it are those that were saved."""
    save_tables(path, tables, {})
    again = load(config=path, environment={})
    assert {name: getattr(again, name) for name in tables} == tables
    return path.read_text(encoding="utf-8")


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def replaced(old: str, new: str) -> str:
    assert OWN.count(old) == 1
    return OWN.replace(old, new)


def test_a_new_file_holds_what_differs_from_the_default(tmp_path: Path) -> None:
    """And nothing else; it is its user's alone."""
    path = tmp_path / "new" / "homeward.toml"
    text = saved(
        path,
        policy=PolicySettings(preset="local-only", rules=(CODE, NIGHT)),
        privacy=PrivacySettings(kinds={"email": "mask", "custom:badge": "ask"}, patterns={"badge": r"B-\d{6}"}),
        budget=BudgetSettings(month=5),
    )
    assert text == (
        '[policy]\npreset = "local-only"\n\n'
        '[[policy.rules]]\nname = "code"\nwhen.task = ["code"]\nwhen.findings = true\nuse = ["device"]\n\n'
        '[[policy.rules]]\nname = "night"\nwhen.hours = "22:00-06:00"\nuse = ["cloud", "device"]\n\n'
        '[privacy]\nkinds.email = "mask"\nkinds."custom:badge" = "ask"\npatterns.badge = "B-\\\\d{6}"\n\n'
        "[budget]\nmonth = 5.0\n"
    )
    assert path.stat().st_mode & 0o777 == 0o600
    assert names_in(path.parent) == ["homeward.toml"]


def test_defaults_need_no_file(tmp_path: Path) -> None:
    save_tables(tmp_path / "homeward.toml", {"policy": PolicySettings(), "budget": BudgetSettings()}, {})
    assert names_in(tmp_path) == []


def test_what_is_the_same_is_not_written(path: Path) -> None:
    before = path.stat()
    assert saved(path, policy=POLICY, budget=BudgetSettings()) == OWN
    assert path.stat() == before


def test_a_value_changes_in_its_place(path: Path) -> None:
    """With its remark."""
    text = saved(path, policy=POLICY.model_copy(update={"preset": "local-only"}))
    assert text == replaced('"by-task"', '"local-only"')


def test_a_value_comes_behind_the_last_one_of_its_table(path: Path) -> None:
    """The comment of the table that follows stays with that one."""
    text = saved(path, policy=POLICY.model_copy(update={"hedge": True}))
    assert text == replaced("# suits me\n", "# suits me\nhedge = true\n")


def test_a_value_that_is_the_default_again_goes(path: Path) -> None:
    text = saved(path, policy=PolicySettings(rules=POLICY.rules))
    assert text == replaced('[policy]\n# Never while I am on a train.\npreset = "by-task"  # suits me\n',
                            "# Never while I am on a train.\n")  # fmt: skip


def test_a_default_that_the_user_wrote_down_stays(path: Path) -> None:
    path.write_text('[policy]\npreset = "local-first"  # I thought about it\nhedge = true\n')
    assert saved(path, policy=PolicySettings()) == '[policy]\npreset = "local-first"  # I thought about it\n'


def test_an_emptied_table_disappears(path: Path) -> None:
    path.write_text("[budget]\nmonth = 3\n\n[chat]\nmax_tokens = 5\n")
    assert saved(path, budget=BudgetSettings()) == "\n[chat]\nmax_tokens = 5\n"


def test_a_rule_goes_with_its_comments(path: Path) -> None:
    """What stands by itself stays."""
    text = saved(path, policy=PolicySettings(preset="by-task", rules=(NIGHT,)))
    first, second = OWN.index("# Code stays here."), OWN.index("# ---- at night")
    assert text == OWN[:first] + OWN[second:]


def test_rules_change_their_order_with_their_comments(path: Path) -> None:
    text = saved(path, policy=POLICY.model_copy(update={"rules": (NIGHT, CODE)}))
    assert text.index("hours =") < text.index("# Code stays here.\n[[policy.rules]]") < text.index("[clouds.azure]")
    assert sorted(text.split()) == sorted(OWN.split())


def test_a_rule_is_changed_where_it_stands(path: Path) -> None:
    """By its name, or where that is what changed, by its place."""
    day = NIGHT.model_copy(update={"name": "day", "when": When(hours="08:00-18:00", days=("mon",))})
    text = saved(path, policy=POLICY.model_copy(update={"rules": (CODE, day)}))
    assert text == replaced('"night"', '"day"').replace(
        'hours = "22:00-06:00"', 'hours = "08:00-18:00"\ndays = ["mon"]'
    )


def test_a_new_rule_stands_behind_the_others(path: Path) -> None:
    new = Rule(name="new", use=("network",))
    text = saved(path, policy=POLICY.model_copy(update={"rules": (*POLICY.rules, new)}))
    assert text == replaced(
        'hours = "22:00-06:00"\n', 'hours = "22:00-06:00"\n\n[[policy.rules]]\nname = "new"\nuse = ["network"]\n'
    )


def test_comments_within_a_list_stay_above_it(path: Path) -> None:
    text = saved(path, privacy=PrivacySettings(deny=("Aquila",)))
    assert text.endswith('[privacy]\n# the project\n# the boss\ndeny = ["Aquila"]\n')


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('policy.preset = "by-task"\nport = 1\n', 'port = 1\n\n[policy]\npreset = "local-only"\n'),
        ('policy = {preset = "by-task", hedge = false}\n', '[policy]\npreset = "local-only"\n'),
        ('[ "policy" ]\n"preset"="by-task"#x', '[ "policy" ]\n"preset" = "local-only"  #x\n'),
        ('[policy]\r\npreset = "by-task"\r\n', '[policy]\r\npreset = "local-only"\r\n'),
        ("[policy]\npreset = '''\nby-task'''\n", '[policy]\npreset = "local-only"\n'),
        (
            '[policy]\npreset = """\\\n  by-task"""  # a\n# [policy]\n',
            '[policy]\npreset = "local-only"  # a\n# [policy]\n',
        ),
    ],
)
def test_however_it_is_written(path: Path, before: str, after: str) -> None:
    path.write_bytes(before.encode())
    save_tables(path, {"policy": PolicySettings(preset="local-only")}, {})
    assert path.read_bytes().decode() == after


def test_rules_written_as_values(path: Path) -> None:
    """Stay so while they are the same; else each gets a table."""
    path.write_text(
        '[policy]\nrules = [\n  {name = "code", when = {task = ["code"], findings = true}, use = ["device"]},\n]\n'
    )
    one = PolicySettings(preset="local-only", rules=(CODE,))
    assert saved(path, policy=one).endswith('use = ["device"]},\n]\npreset = "local-only"\n')
    text = saved(path, policy=PolicySettings(rules=(CODE, NIGHT)))
    assert text.count("[[policy.rules]]") == 2
    assert "rules = [" not in text


def test_tables_in_parts(path: Path) -> None:
    """What belongs to a table is found wherever it stands."""
    path.write_text('[privacy.kinds]\nemail = "ask"\n\n[chat]\nmax_tokens = 5\n\n[privacy.patterns]\nbadge = "B"\n')
    text = saved(path, privacy=PrivacySettings(default="ask", kinds={"phone": "mask"}, patterns={"badge": "B"}))
    assert text == (
        '[privacy]\ndefault = "ask"\n\n[privacy.kinds]\nphone = "mask"\n\n'
        '[chat]\nmax_tokens = 5\n\n[privacy.patterns]\nbadge = "B"\n'
    )


def test_a_rule_in_pieces(path: Path) -> None:
    """What would be lost by the change is not changed."""
    text = '[[policy.rules]]\nname = "a"\nuse = ["cloud"]\n\n[chat]\n\n[policy.rules.when]\nfindings = true\n'
    path.write_text(text)
    with pytest.raises(ConfigError, match="can't be changed here without losing something"):
        save_tables(path, {"policy": PolicySettings()}, {})
    assert path.read_text() == text


@pytest.mark.parametrize("result", ["[", "[policy]\nhedge = 7\n", "[policy]\nhedge = true\n", OWN])
def test_a_result_that_is_not_right_is_not_written(path: Path, monkeypatch: pytest.MonkeyPatch, result: str) -> None:
    """Whatever went wrong on the way: it is read back before it counts."""
    monkeypatch.setattr(edit, "with_table", lambda *_: result)
    with pytest.raises(ConfigError, match="without losing something"):
        save_tables(path, {"policy": PolicySettings(hedge=True)}, {})
    assert path.read_text() == OWN


def test_a_secret_stays_where_it_is(path: Path) -> None:
    """Neither moved nor written anywhere else."""
    text = saved(path, policy=PolicySettings(), privacy=PrivacySettings(), budget=BudgetSettings(month=1))
    assert text.count('api_key = "canary"\n') == 1


def test_rights_and_links_stay(path: Path, tmp_path: Path) -> None:
    path.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(path)
    save_tables(link, {"budget": BudgetSettings(month=1)}, {})
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert load(config=path, environment={}).budget.month == 1


def test_a_mistake_elsewhere_is_named(path: Path) -> None:
    """With its line, before anything is written; what is not understood is not thrown away."""
    for mistake, message in [("port = 'x'\n", "line 1: `port` is 'x'"), ("[policy]\nperset = 1\n", "`policy.perset`"),
                             ("port = = 1\n", "is not valid TOML")]:  # fmt: skip
        path.write_text(mistake)
        with pytest.raises(ConfigError, match=message):
            save_tables(path, {"policy": POLICY}, {})
        assert path.read_text() == mistake


def test_a_key_is_in_no_error(path: Path) -> None:
    path.write_text(OWN.replace('api_key = "canary"', 'api_key = "canary"\nat_a_time = 0'))
    with pytest.raises(ConfigError) as caught:
        save_tables(path, {"policy": PolicySettings()}, {})
    assert "canary" not in f"{caught.value} {caught.value.detail} {caught.value.__cause__}"


@pytest.mark.skipif(os.name == "nt", reason="rights work differently there")
def test_a_file_that_may_not_be_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays as it is, and nothing is left beside it."""
    monkeypatch.setattr(os, "access", lambda *_: False)  # whoever runs tests as root may write anything
    with pytest.raises(ConfigError, match="can't be written: Permission denied") as caught:
        save_tables(path, {"policy": PolicySettings()}, {})
    assert caught.value.next_step
    assert path.read_text() == OWN
    assert names_in(path.parent) == ["homeward.toml"]


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="can't be written"):
        save_tables(tmp_path / "file" / "homeward.toml", {"policy": POLICY}, {})


def test_a_file_that_changes_meanwhile_is_read_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came in between is in the result."""
    changes = iter([OWN + "\n[chat]\nmax_tokens = 7\n"])
    between(monkeypatch, lambda: [path.write_text(text) for text in changes])
    text = saved(path, policy=POLICY.model_copy(update={"hedge": True}))
    assert "hedge = true" in text
    assert "max_tokens = 7" in text


def test_a_file_that_never_rests_is_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = itertools.count()
    between(monkeypatch, lambda: path.write_text(f"{OWN}# {next(numbers)}\n"))
    with pytest.raises(ConfigError, match="keeps changing"):
        save_tables(path, {"policy": PolicySettings()}, {})
    assert names_in(path.parent) == ["homeward.toml"]


def between(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Have something happen after the file was read and before it is replaced."""
    write = edit.write_new

    def write_later(*arguments: Any, **named: Any) -> None:
        act()
        write(*arguments, **named)

    monkeypatch.setattr(edit, "write_new", write_later)


def test_which_file_it_is(tmp_path: Path) -> None:
    """The one that `load` reads; where there is none, the one that it would read."""
    assert config_file({"data_dir": tmp_path}, environment={}) == ConfigFile(tmp_path / "homeward.toml")
    named = tmp_path / "a.toml"
    assert config_file({"data_dir": tmp_path}, config=named, environment={}) == ConfigFile(named)
    assert config_file(environment={"HOMEWARD_CONFIG": str(named)}) == ConfigFile(named)
    assert config_file(environment={"HOMEWARD_DATA_DIR": str(tmp_path)}) == ConfigFile(tmp_path / "homeward.toml")


def test_a_variable_that_goes_before_the_file(tmp_path: Path) -> None:
    """What would be saved would not count."""
    found = config_file({"data_dir": tmp_path}, environment={"HOMEWARD_POLICY_PRESET": "local-only"})
    assert found.locked == "The environment variable HOMEWARD_POLICY_PRESET goes before what would be saved."
    assert config_file({"data_dir": tmp_path}, environment={"HOMEWARD_PORT": "1"}).locked == ""


# -- any settings, however they were written before ----------------------------------------------------------------

words = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\"\\\x7f\t#='\n"), min_size=1, max_size=9
)
names = words.filter(lambda name: name not in NOT_RULES | NAMES_OF_PRESETS)
may = st.sampled_from(["home", "ask", "mask", "allow"])
whens = st.builds(
    When,
    task=st.lists(st.sampled_from(["code", "creative"]), max_size=2).map(tuple),
    tokens_over=st.none() | st.integers(0, 9999),
    findings=st.none() | st.booleans() | st.lists(words, min_size=1, max_size=2).map(tuple),
    attachments=st.none() | st.booleans(),
    hours=st.none() | st.just("22:00-06:00"),
    spent_over=st.none() | st.floats(0, 1e9),
)
rules = st.builds(Rule, name=names, when=whens, use=st.lists(words, min_size=1, max_size=2).map(tuple))
policies = st.builds(
    PolicySettings,
    preset=st.sampled_from(["local-first", "by-task"]),
    places=st.none() | st.just(("cloud", "device")),
    hedge=st.booleans(),
    rules=st.lists(rules, max_size=3, unique_by=lambda rule: rule.name).map(tuple),
)
privacies = st.builds(
    PrivacySettings,
    default=may,
    kinds=st.dictionaries(words, may, max_size=2),
    deny=st.lists(words, max_size=2).map(tuple),
    patterns=st.dictionaries(words, words, max_size=2),
)
budgets = st.builds(BudgetSettings, month=st.none() | st.floats(0, 1e6), currency=st.sampled_from(["USD", "KRW"]))


class Writer:
    """Writes settings as a user might: in any style, with comments everywhere."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.numbers = itertools.count()
        self.sections: list[str] = []

    def comment(self, kind: str = "comment") -> str:
        return f"# {kind} {next(self.numbers)}: [policy] = 'x\n"

    def noise(self) -> str:
        choice = self.draw(st.integers(0, 3))
        return ["", "\n", self.comment(), f"\n{self.comment()}\n"][choice]

    def pairs(self, values: dict[str, Any], above: str = "") -> str:
        return "".join(self.noise() + self.pair(above + written_key(key), value) for key, value in values.items())

    def pair(self, key: str, value: Any) -> str:
        if isinstance(value, dict) and value and self.draw(st.booleans()):
            return "".join(self.pair(f"{key}.{written_key(inner)}", each) for inner, each in value.items())
        if isinstance(value, list) and not any(isinstance(each, dict) for each in value) and self.draw(st.booleans()):
            inside = "".join(f"  {written(each)}, {self.comment('inner')}" for each in value)
            return f"{key} = [\n{inside}]\n"
        end = self.draw(st.sampled_from(["\n", " " + self.comment("remark")]))
        return f"{key} = {inline(value)}{end}"

    def table(self, path: str, values: dict[str, Any], *, element: bool = False) -> None:
        """A section, or several."""
        apart = {k: v for k, v in values.items() if isinstance(v, dict) and v and self.draw(st.booleans())}
        tables = values["rules"] if "rules" in values and self.draw(st.booleans()) else []
        rest = {k: v for k, v in values.items() if k not in apart and not (k == "rules" and tables)}
        header = f"[[{path}]]" if element else f"[{path}]"
        text = f"{header}{self.draw(st.sampled_from(['', '  # remark']))}\n{self.pairs(rest)}{self.noise()}"
        following = [f"[{path}.{written_key(key)}]\n{self.pairs(value)}{self.noise()}" for key, value in apart.items()]
        if element:
            self.sections[-1] += "".join([text, *following])
        else:
            self.sections += [text, *following]
            if tables:
                self.sections.append("")
        for rule in tables:
            self.table(f"{path}.rules", rule, element=True)


def inline(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written_key(key)} = {inline(each)}" for key, each in value.items()) + "}"
    return written(value)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A valid `homeward.toml`."""
    writer = Writer(draw)
    root = draw(st.sampled_from(["", "port = 9000\n", writer.comment()]))
    tables = {"policy": draw(policies), "privacy": draw(privacies), "budget": draw(budgets)}
    for name, table in tables.items():
        values = table.model_dump(mode="json", exclude_defaults=draw(st.booleans()), exclude_none=True)
        style = draw(st.integers(0, 4))
        if style == 0:
            root += writer.pairs(values, above=f"{name}.")
        elif style == 1:
            root += f"{name} = {inline(values)}\n"
        elif values or style == 2:
            writer.table(name, values)
    writer.table("chat", {"max_tokens": 5, "system_prompt": "[policy]\n"})
    writer.table("clouds.mine", {"url": "https://x", "model": "m", "api_key": "canary"})
    return root + "".join(draw(st.permutations(writer.sections)))


def lines(text: str, kind: str) -> Iterator[str]:
    return (line.strip() for line in text.splitlines() if line.strip().startswith(f"# {kind}"))


@settings(
    max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(text=documents(), policy=policies, privacy=privacies, budget=budgets)
def test_any_settings_into_any_file(
    tmp_path: Path, text: str, policy: PolicySettings, privacy: PrivacySettings, budget: BudgetSettings
) -> None:
    """What is read back is what was saved; all else is as before; comments stay, but for those of rules that went."""
    path = tmp_path / "homeward.toml"
    path.write_text(text, encoding="utf-8")
    before = load(config=path, environment={})
    kept = before.policy.rules
    taken = {rule.name for rule in kept}
    new_rules = tuple(rule for rule in policy.rules if rule.name not in taken)
    policy = policy.model_copy(update={"rules": (*kept, *new_rules)})
    new = saved(path, policy=policy, privacy=privacy, budget=budget)
    after = load(config=path, environment={})
    assert (
        after.model_copy(update={"policy": before.policy, "privacy": before.privacy, "budget": before.budget}) == before
    )
    assert set(lines(text, "comment")) <= set(lines(new, "comment"))
    path_stat = path.stat()
    assert saved(path, policy=policy, privacy=privacy, budget=budget) == new
    assert path.stat() == path_stat
    saved(path, policy=before.policy, privacy=before.privacy, budget=before.budget)
