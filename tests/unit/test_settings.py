# SPDX-License-Identifier: MIT
import json

from agent.errors import SettingsError
from agent.settings import KEYS, Settings, parse, server
from tests.helpers.agent.both import raises

MAC = "00270DC01C92"


def make(**values):
    values.setdefault("mac", MAC)
    return parse(json.dumps(values))


def mistake(key, value):
    """The text of the error; it must name the key, the value, and an example that is itself right."""
    error = raises(SettingsError, parse, json.dumps({"mac": MAC, key: value}), "phone.json")
    text = str(error)
    assert error.reason == "settings"
    assert text.startswith("phone.json: %s is %s, but " % (key, json.dumps(value))), text
    example = text[text.index("for example ") + 12 : -1]
    assert text[-1] == "."
    values = json.loads("{%s}" % example)
    assert list(values) == [key]
    values.setdefault("mac", MAC)
    Settings(values)
    return text


def test_defaults():
    found = make()
    assert found.mac == MAC and found.model == "8861" and found.tftp == []
    assert found.policy == "first-use" and found.refuse_weak is False
    assert found.size_limit == 65536 and found.configuration_limit == 65536
    assert (found.tftp_timeout, found.tftp_attempts, found.tftp_deadline, found.tvs_timeout) == (1000, 4, 120000, 5000)
    for key in KEYS:
        assert hasattr(found, key), key


def test_names_of_the_device():
    found = make(model=8861)
    assert found.device == "SEP00270DC01C92" and found.full_name == "CP-8861-SEP00270DC01C92"


def test_every_example_is_right():
    for key in KEYS:
        assert Settings({"mac": MAC, key: KEYS[key][2]}), key


def test_every_key():
    values = {key: KEYS[key][2] for key in KEYS}
    found = Settings(values)
    assert found.policy == "provisioned-only" and found.refuse_weak is True
    assert found.tftp == [("192.0.2.10", 69), ("192.0.2.11", 69)]


def test_mac():
    for mac in ("00:27:0d:c0:1c:92", "00-27-0D-C0-1C-92", "0027.0dc0.1c92", "00270dc01c92"):
        assert make(mac=mac).mac == MAC
    for mac in (
        "",
        "00270DC01C9",
        "00270DC01C920",
        "00270DC01C9G",
        "SEP00270DC01C92",
        "００２７０ＤＣ０１Ｃ９２",
    ):
        assert "12 hexadecimal digits" in mistake("mac", mac), mac
    for mac in (270, None, []):
        assert "text" in mistake("mac", mac), mac


def test_mac_is_needed():
    error = raises(SettingsError, parse, "{}", "phone.json")
    assert str(error) == 'phone.json: mac is missing; for example "mac": "00270DC01C92".'


def test_model():
    assert make(model="8861NR-K9_a.b").model == "8861NR-K9_a.b"
    assert make(model=7960).model == "7960"
    for model in ("", "88 61", "8861\0", "modèle", "x" * 33, None, True, 8.5, ["8861"]):
        mistake("model", model)


def test_policy():
    assert make(policy="provisioned-only").policy == "provisioned-only"
    for policy in ("", "First-Use", "none", None, 1, ["first-use"], {}):
        assert "first-use, provisioned-only" in mistake("policy", policy)


def test_truth_values():
    assert make(refuse_weak=True).refuse_weak is True
    for value in ("true", 0, 1, None, []):
        assert "true or false" in mistake("refuse_weak", value)


def test_numbers():
    for key, low, high in (
        ("size_limit", 1024, 1 << 20),
        ("configuration_limit", 1024, 1 << 20),
        ("tftp_timeout", 50, 60000),
        ("tftp_attempts", 1, 20),
        ("tftp_deadline", 1000, 3600000),
        ("tftp_block_size", 8, 1468),
        ("tftp_window", 1, 64),
        ("tvs_timeout", 100, 60000),
    ):
        assert getattr(make(**{key: low}), key) == low
        assert getattr(make(**{key: high}), key) == high
        for value in (low - 1, high + 1, -low, str(low), 1.5, None, True, [low]):
            assert "from %d to %d" % (low, high) in mistake(key, value), (key, value)


def test_tftp_servers():
    assert make(tftp=["a", "b:6969", "192.0.2.1", "[2001:db8::1]:70", "2001:db8::2", "[2001:db8::3]"]).tftp == [
        ("a", 69),
        ("b", 6969),
        ("192.0.2.1", 69),
        ("2001:db8::1", 70),
        ("2001:db8::2", 69),
        ("2001:db8::3", 69),
    ]
    for value in ("192.0.2.1", [1], None, {}, ["a"] * 9):
        mistake("tftp", value)
    for item in (
        "",
        ":69",
        "a:0",
        "a:65536",
        "a:x",
        "a:-1",
        "a:",
        "a b",
        "[::1",
        "[::1]x",
        "[]:69",
        "a\n",
        "a:6 9",
        "::1]",
        "a:99999999999999999999",
        "tftp://a",
        "a/b",
        "a" * 256,
    ):
        text = mistake("tftp", [item])
        assert json.dumps([item]) in text, item


def test_server_with_another_usual_port():
    assert server("a", 2445) == ("a", 2445) and server("a:1", 2445) == ("a", 1) and server("::1", 2445) == ("::1", 2445)
    for text in ("", "a:", "a:0"):
        raises(ValueError, server, text, 2445)


def test_unknown_keys():
    error = raises(SettingsError, parse, json.dumps({"mac": MAC, "tftp_server": "a"}), "phone.json")
    text = str(error)
    assert text.startswith("phone.json: 'tftp_server' is not a setting of a phone") and "tftp," in text
    assert text.endswith('; for example "tftp": ["192.0.2.10", "192.0.2.11:69"].')
    for key, near in (("polcy", "policy"), ("x", "mac"), ("", "mac"), ("tvs_time", "tvs_timeout")):
        assert '; for example "%s":' % near in str(raises(SettingsError, parse, json.dumps({"mac": MAC, key: 1}))), key


def test_not_json():
    for text in ("", "mac = 1", "{'mac': 1}", '{"mac": "00270DC01C92"} x', "\0"):
        error = raises(SettingsError, parse, text, "phone.json")
        assert "phone.json: this is not JSON" in str(error) and "for example {" in str(error), text
    for text, place in (  # MicroPython's own json module reads all of these, each in its own way
        ('{"mac": }', "line 1, column 9: a value is missing"),
        ('{"mac" "x"}', "line 1, column 8: a colon is missing"),
        ('{"mac": "00270DC01C92",}', "line 1, column 24: nothing follows the comma"),
        ('{"mac": "00270DC01C92"\n "policy": "provisioned-only"}', "line 2, column 2: a comma or '}' is missing"),
        ('{"mac": "00270DC01C92", "refuse_weak": true', "column 44: the text ends, and '{' of line 1, column 1"),
        ('{"mac": "00270DC01C92", "tftp": ["192.0.2.1"', "'[' of line 1, column 33 is not closed"),
        (
            '{"replay": "refuse", "mac": "00270DC01C92", "replay": "warn"}',
            "column 45: the key 'replay' appears twice",
        ),
        ('{"mac": ' + "[" * 100000, "nested more than 16 deep"),
    ):
        error = raises(SettingsError, parse, text, "phone.json")
        assert "phone.json: this is not JSON" in str(error) and place in str(error), (text[:60], str(error)[:200])


def test_what_is_less_safe_is_never_a_default_by_mistake():
    """Each text has one honest mistake: it is an error on both Pythons, not the default."""
    strict = '{"mac": "00270DC01C92", "policy": "provisioned-only", "replay": "refuse", "refuse_weak": true}'
    good = parse(strict)
    assert (good.policy, good.replay, good.refuse_weak, good.tls_static_rsa) == (
        "provisioned-only",
        "refuse",
        True,
        False,
    )
    assert good.boot_budget == 180
    for at in range(len(strict)):
        cut = strict[:at] + strict[at + 1 :]
        try:
            found = parse(cut)
        except SettingsError:
            continue
        assert strict[at] == " ", (at, cut)
        assert (found.policy, found.replay, found.refuse_weak) == (good.policy, good.replay, good.refuse_weak)


def test_not_an_object():
    for text in ("[]", "1", '"mac"', "null", "true"):
        error = raises(SettingsError, parse, text, "phone.json")
        assert "one JSON object" in str(error) and '{"mac": "00270DC01C92"}' in str(error), text


def test_settings_do_not_share_their_lists():
    one = make()
    one.tftp.append(("a", 69))
    assert make().tftp == []


def test_settings_of_earlier_releases_are_read():
    assert make(provisioning="http").file_transfer == "http"
    error = raises(SettingsError, parse, json.dumps({"mac": MAC, "provisioning": "ftp"}), "phone.json")
    assert 'phone.json: file_transfer is "ftp", but it must be one of: tftp, http;' in str(error)
    both = {"mac": MAC, "provisioning": "http", "file_transfer": "tftp"}
    error = raises(SettingsError, parse, json.dumps(both), "phone.json")
    assert "'provisioning' is not a setting of a phone" in str(error)
