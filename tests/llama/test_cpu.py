from funasr_cli.llama.cpu import missing_features

INFO = "CPU : SSE3 = 1 | AVX2 = 1 | AVX512 = 1 | AVX512_VNNI = 0 | FMA = 1 | OPENMP = 1 | "


def test_names_what_the_processor_lacks() -> None:
    assert missing_features(INFO, "processor : 0\nflags\t\t: fpu sse3 avx2 fma\n") == ["AVX512"]


def test_nothing_is_missing_on_a_processor_that_has_all() -> None:
    assert missing_features(INFO, "flags : avx2 fma avx512f\n") == []


def test_other_processors_are_not_judged() -> None:
    assert missing_features(INFO, "Features : fp asimd neon\n") == []
    assert missing_features("", "flags : fpu\n") == []


def test_this_machine_runs_the_installed_library() -> None:
    assert missing_features("CPU : SSE3 = 1 | REPACK = 1 | ") == []
