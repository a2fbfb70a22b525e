"""Every polite way to end a process arrives as one exception, and the clean-up that follows is left alone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from entrypoints.command import interrupts

pytestmark = pytest.mark.disturbs

ROOT = Path(__file__).parents[3]

CLEANS_UP = """
import signal, sys, time
from entrypoints.command import interrupts
try:
    with interrupts.raised():
        try:
            print("ready", flush=True)
            time.sleep(60)
        finally:
            print("cleaning", flush=True)
            time.sleep(1)
            print("clean", flush=True)
except interrupts.Interrupted as interrupted:
    print(interrupted.signal.name, flush=True)
"""


@pytest.fixture
def process():
    process = subprocess.Popen([sys.executable, "-c", CLEANS_UP], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_is_raised_once_by_its_name(number):
    if signal.getsignal(number) is signal.SIG_IGN:  # as all tests have it under nohup
        signal.signal(number, signal.SIG_DFL)
    before = signal.getsignal(number)
    with pytest.raises(interrupts.Interrupted) as interrupted, interrupts.raised():
        os.kill(os.getpid(), number)
    assert interrupted.value.signal == number
    assert signal.getsignal(number) == before


class EndsInASignal:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)


def end_one_and_wait():
    EndsInASignal()
    time.sleep(60)


def test_what_python_ignores_in_a_finalizer_is_raised_after_it():
    hook = sys.unraisablehook
    with pytest.raises(interrupts.Interrupted) as interrupted, interrupts.raised():
        end_one_and_wait()
    assert interrupted.value.signal == signal.SIGINT
    assert sys.unraisablehook is hook


def test_a_second_signal_from_mlflow_does_not_cut_the_clean_up_short(process):
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "cleaning\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.read() == "clean\nSIGINT\n"


def test_a_second_ctrl_c_cuts_it_short(process):
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert "clean" not in process.stdout.read()
