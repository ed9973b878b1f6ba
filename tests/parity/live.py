"""Compare our export with the official package, live: `make parity`.

Random checkpoints and sounds from fresh seeds go through both; the worst differences are printed.
Fails when one is out of bounds. `--write` renews tests/data/parity instead.
"""

import argparse
import secrets
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1]))  # as pytest does

from parity.cases import CASES, FULL, Case
from parity.checkpoints import write_checkpoint
from parity.exchange import make_environment, run_reference, sounds_of, write_golden
from parity.ours import Difference, compare

from funasr_cli.export import export_model

ENVIRONMENT = Path(__file__).parents[2] / ".parity"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison; 0 when all is within bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1, help="random checkpoints of each kind")
    parser.add_argument("--seed", type=int, help="the first seed (default: any)")
    parser.add_argument("--python", type=Path, help="Python that has the reference installed")
    parser.add_argument("--full-size", action="store_true", help="one of the official sizes, too")
    parser.add_argument("--long", action="store_true", help="also 20 s of sound (slow)")
    parser.add_argument("--write", action="store_true", help="renew the files of tests/data/parity")
    options = parser.parse_args(arguments)
    python = options.python or make_environment(ENVIRONMENT)
    with tempfile.TemporaryDirectory(prefix="parity-") as name:
        work = Path(name)
        if options.write:
            write_golden(python, work)
            return 0
        first = secrets.randbelow(10**6) + 1 if options.seed is None else options.seed
        found = []
        for seed in range(first, first + options.seeds):
            more = ("long",) if options.long else ()
            found += run(CASES, python, work / str(seed), seed, more)
        if options.full_size:
            found += run((FULL,), python, work / "full", first, ())
    _print(f"worst of seeds {first}..{first + options.seeds - 1}", [_worst(found)])
    return 1 if any(d.problems for d in found) else 0


def run(
    cases: Sequence[Case], python: Path, work: Path, seed: int, more: Sequence[str]
) -> list[Difference]:
    """Compare cases under one seed."""
    found = []
    for case in cases:
        folder = write_checkpoint(work / case.name, case.architecture, seed, case.change)
        sounds = sounds_of(case, seed, more)
        said = run_reference(python, folder, sounds, work)
        model = work / f"{case.name}-model"
        ctc = bool(said["ctc"])
        export_model(folder, model, ctc_type="fp32", decoder_type="f32", with_ctc=ctc)
        found.append(compare(model, case, said, sounds))
    _print(f"seed {seed}", found)
    return found


def _worst(found: list[Difference]) -> Difference:
    def count(what: str) -> str:
        pairs = [getattr(d, what).split("/") for d in found if "/" in getattr(d, what)]
        return "/".join(str(sum(map(int, side))) for side in zip(*pairs, strict=True))

    return Difference(
        "worst",
        lfr=max(d.lfr for d in found),
        rounding=max(d.rounding for d in found),
        encoder=max(d.encoder for d in found),
        embeds=max(d.embeds for d in found),
        ctc=count("ctc"),
        log_probs=max(d.log_probs for d in found),
        tokens=count("tokens"),
        draws=sum(d.draws for d in found),
        problems=[p for d in found for p in d.problems],
    )


def _print(title: str, found: list[Difference]) -> None:
    write = sys.stdout.write
    write(f"\n{title}\n")
    write("case     features (float64)  encoder   embeds  ctc same log-prob   tokens same draws\n")
    for d in found:
        write(
            f"{d.case:8} {d.lfr:8.1e} {d.rounding:9.1e} {d.encoder:8.1e} {d.embeds:8.1e} "
            f"{d.ctc:>9} {d.log_probs:8.1e} {d.tokens:>13} {d.draws:5}\n"
        )
        for problem in d.problems:
            write(f"         {problem}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
