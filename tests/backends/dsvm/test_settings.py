"""The keys of dsvm.json and what each refuses."""

import pytest

from backends import configuration
from backends.dsvm.settings import DsvmSettings, parse_host
from backends.failures import BackendError


def load(**given) -> DsvmSettings:
    return configuration.load(DsvmSettings, {"host": "ssh://me@vm", **given}, "dsvm")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("ssh://me@20.1.2.3", ("me@20.1.2.3", None, "/var/run/docker.sock", "20.1.2.3")),
        ("ssh://me@vm:2222", ("me@vm", 2222, "/var/run/docker.sock", "vm")),
        ("ssh://alias", ("alias", None, "/var/run/docker.sock", "alias")),
        ("ssh://me@vm:22/run/user/1000/docker.sock", ("me@vm", 22, "/run/user/1000/docker.sock", "vm")),
        ("ssh://me@[2001:db8::1]:22", ("me@2001:db8::1", 22, "/var/run/docker.sock", "2001:db8::1")),
        ("unix:///run/docker.sock", (None, None, "/run/docker.sock", "this machine")),
    ],
)
def test_hosts(host, expected):
    address = parse_host(host)
    assert (address.ssh, address.port, address.socket, address.place) == expected


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"host": "me@vm"}, "host: 'me@vm' is neither ssh://user@host[:port] nor unix:///path."),
        ({"host": "tcp://vm:2375"}, "host: 'tcp://vm:2375' is neither"),
        ({"host": "ssh://-oProxyCommand=x"}, "host: 'ssh://-oProxyCommand=x' is neither"),
        ({"host": "ssh://me:word@vm"}, "host: has a password in it; use an SSH key instead"),
        ({"memory": "24 gigs"}, "memory: '24 gigs' will not do. How much of the VM's memory, like '24g'"),
        ({"memory": "1073741824"}, "memory: '1073741824' will not do."),
        ({"memory": "8m"}, "memory: a job needs at least 256m, and 8m were given."),
        ({"cpus": 0}, "cpus: 0 will not do. How many of the VM's cores"),
        ({"gpus": "two"}, "gpus: 'two' will not do. How many GPUs, or 'all'."),
        ({"environment": ["TOKEN=abc"]}, "environment: expected names of environment variables, without '=' and value"),
        ({"build": {"ca_bundle": "/no/such.pem"}}, "build.ca_bundle: there is no file /no/such.pem."),
    ],
)
def test_what_is_refused(given, sentence):
    with pytest.raises(BackendError) as caught:
        load(**given)
    assert sentence in str(caught.value)
    assert "abc" not in str(caught.value)
    assert "word@" not in str(caught.value)


def test_sizes_are_bytes():
    assert load(memory="24g").memory == 24 * 2**30
    assert load(memory="1.5GiB").memory == 3 * 2**29
    assert load(memory="24GB").memory == 24 * 2**30, "as Docker has it"
