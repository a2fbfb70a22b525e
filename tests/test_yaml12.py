"""YAML as its version 1.2 has it, and one sentence for whatever is not."""

import math

import pytest

import yaml12


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E5", 100000.0),
        (".5", 0.5),
        ("-1.", -1.0),
        ("0o17", 15),
        ("0x1F", 31),
        ("0777", 777),
        ("08", 8),
        ("+12", 12),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("Off", "Off"),
        ("y", "y"),
        ("12:30:45", "12:30:45"),
        ("2016-05-01", "2016-05-01"),
        ("1_000", "1_000"),
        ("0b1", "0b1"),
        ("True", True),
        ("~", None),
        ("", None),
        ("Null", None),
        ("-.inf", -math.inf),
        ("'1e-3'", "1e-3"),
        ("{1: 20, b: 2}", {1: 20, "b": 2}),
        ("a: &x {b: 1}\nc: {<<: *x, d: 2}", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
        ("a: &x {b: 1}\nc: {<<: *x, b: 2}", {"a": {"b": 1}, "c": {"b": 2}}),
    ],
)
def test_scalars_are_those_of_the_core_schema(text, value):
    read = yaml12.read(text)
    assert read == value
    assert type(read) is type(value)


def test_not_a_number_is_one():
    assert math.isnan(yaml12.read(".nan"))


BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{below}'] * 10)}]\n" for below, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2", "line 2: the key 'a' stands twice."),
        ("a: 1\n? [b]\n: 2", "line 2: a list or a mapping cannot be a key."),
        ("{{a: 1}: 2}", "line 1: a list or a mapping cannot be a key."),
        (BOMB, "more than 200,000 values, aliases counted as often as they are used."),
        ("&a [*a]", "line 1: an alias stands inside of what it names."),
        ("[" * 5000 + "]" * 5000, "line 1: more than 40 levels, one inside the other."),
        ("a:\n  b: " + "9" * 5000, "line 2: a number of 5,000 digits."),
        ("0x" + "f" * 500, "a number of 502 digits."),
        ("1e999", "1e999 is larger than any number can be"),
        ("!!int x", "'x' is not what its tag says."),
        ("!!timestamp 2016-05-01", "could not determine a constructor for the tag"),
        ("!!python/object/apply:os.system [id]", "could not determine a constructor for the tag"),
        ("a: 1\n---\nb: 2", "line 2: expected a single document in the stream, but found another document."),
        ("a: \x00", "special characters are not allowed."),
        ("*nowhere", "found undefined alias 'nowhere'."),
    ],
)
def test_what_is_not_taken_is_one_sentence(text, said):
    with pytest.raises(yaml12.YamlError) as caught:
        yaml12.read(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("Mend the YAML there.")
