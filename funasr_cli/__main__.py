"""`python -m funasr_cli`, and the console scripts `funasr` and `funasr-cli`."""

import sys


def main() -> None:
    """Run the command line with UTF-8 streams, whatever the locale."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # a lone surrogate in a file name must not end a run
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    from funasr_cli.cli import leave_interrupted, watch_interrupts

    watch_interrupts()
    try:
        from funasr_cli.cli.app import app
        from funasr_cli.cli.start import run

        run(app)
    except KeyboardInterrupt:  # while the imports were still going on
        leave_interrupted()


if __name__ == "__main__":
    main()
