"""What the scripts share; ../node/talk.mjs says how the lines look."""

import json
import sys

given = json.loads(sys.stdin.readline())
exercised = []


def say(what):
    print(json.dumps(what), flush=True)


def ask(what):
    """Say something and return the answer."""
    say(what)
    return json.loads(sys.stdin.readline())


def browse(address, end=None):
    """Let the person go to an address; return where the app is called back."""
    return ask({"browse": address, "end": given["callback"] if end is None else end})["at"]


def chapter(name):
    """Run the decorated function."""

    def run(story):
        try:
            story()
        except Exception as e:
            raise AssertionError(f"{name}: {e!r}") from e
        exercised.append(name)

    return run


def equal(got, want, what):
    assert got == want, f"{what}: {got!r} instead of {want!r}"


def refused(error, call):
    """Expect an OAuth error, as both libraries name it."""
    try:
        call()
    except Exception as e:
        equal(getattr(e, "error", None), error, f"refusal ({e!r})")
        return
    raise AssertionError(f"accepted instead of {error}")


def finish():
    say({"exercised": exercised})
