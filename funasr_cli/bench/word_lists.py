"""Word lists that look like users' own, of any length, from a seed: names, places, terms, Latin."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from random import Random
from typing import Final

from funasr_cli.characters import readings

SENTENCES: Final = Path(__file__).parents[1] / "bench_data" / "sentences.txt"
"""A hundred everyday sentences, six minutes of speech, written for this purpose."""

_SURNAMES: Final = (  # noqa: SIM905 - a hundred quotes would hide the names
    "王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 高 林 何 郭 马 罗 梁 宋 "
    "郑 谢 韩 唐 冯 于 董 萧 程 曹 袁 邓 许 傅 沈 曾 彭 吕 苏 卢 蒋 蔡 "
    "贾 丁 魏 薛 叶 阎 余 潘 杜 戴 夏 钟 汪 田 任 姜 范 方 石 姚 谭 廖 "
    "邹 熊 金 陆 郝 孔 白 崔 康 毛 邱 秦 江 史 顾 侯 邵 孟 龙 万 段 雷 "
    "钱 汤 尹 黎 易 常 武 乔 贺 赖 龚 文 欧阳 司马 上官 诸葛 慕容 皇甫"
).split()
_GIVEN: Final = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红梅鑫宇浩然子轩雨欣佳怡梓涵晨曦思远志国"
    "建文斌博毅俊峰凯旋婷雪琳倩颖慧洁莹瑶岚菲蓉薇琪璐嘉诚立群振宏海燕春兰晓东永福庆祥松柏云飞鹏翔"
    "天佑少康仁义礼智信德才学林森炎培坤钧铭锋锐泽润沛清源淼"
)
_GIVEN_LENGTHS: Final = (1, *[2] * 9)
_PLACES: Final = (
    "青白黄黑红金银石水沙云龙凤虎马牛羊鹿鹤松柏柳桃梅竹兰荷山河江湖海泉溪东西南北上下前后新旧大小"
    "长安宁平和康乐福寿永定武文昌盛兴隆泰顺景阳临清高明宝城关岭洪巴德会丰"
)
_KINDS_OF_PLACE: Final = (  # noqa: SIM905
    "县 市 镇 区 乡 村 路 街 山 河 湖 岛 桥 寺 湾 港 口 机场 大道 广场 公园 水库 高铁站"
).split()
_PIECES: Final = (  # noqa: SIM905
    "Deep Cloud Sync Data Stream Fast Hyper Open Power Micro Soft Net Work Flow Code Pilot Smart "
    "Home Air Drop Face Book Link Space Star Light Fire Base Mongo Post Gres Redis Kafka Spark "
    "Torch Tensor Vision Audio Voice Chat Claude Lama Mistral Gemini Falcon Phoenix Nova Orbit "
    "Docker Kube Helm Grafana Sentry Elastic Search Graph Query Type Script Java Swift Kotlin Rust"
).split()
_LETTERS: Final = "ABCDEFGHIKLMNOPQRSTUVWXYZ"
_MIXED: Final = (  # noqa: SIM905
    "芯片 显卡 会议 协议 系列 平台 项目 引擎 算法 模型 接口 方案 助手 工厂"
).split()
SHARES: Final = {"names": 40, "places": 20, "phrases": 25, "latin": 10, "mixed": 5}
"""Percent of a list."""


def word_list(count: int, seed: int) -> list[str]:
    """Make a list of different words, in random order.

    Args:
        count: up to 150,000: from there on, there are not enough phrases.
        seed: decides which.
    """
    rng = Random(seed)  # noqa: S311 - a reproducible sample, not a secret
    makers = {
        "names": _names(rng),
        "places": _places(rng),
        "phrases": _phrases(rng),
        "latin": _latin(rng),
        "mixed": _mixed(rng),
    }
    words: dict[str, None] = {}
    for kind, share in SHARES.items():
        wanted = len(words) + count * share // 100
        while len(words) < wanted:
            words[next(makers[kind])] = None
    while len(words) < count:
        words[next(makers["names"])] = None
    found = list(words)
    rng.shuffle(found)
    return found


def names(count: int, seed: int) -> list[str]:
    """Make different names of people, mostly of three characters, in random order."""
    maker = _names(Random(seed))  # noqa: S311 - a reproducible sample, not a secret
    found: dict[str, None] = {}
    while len(found) < count:
        found[next(maker)] = None
    return list(found)


def phrases() -> list[str]:
    """Words and idioms of two to six characters: the phrases that pypinyin knows, 47,000."""
    from pypinyin.phrases_dict import phrases_dict

    lengths = range(2, 7)
    return [word for word in phrases_dict if len(word) in lengths and all(map(readings, word))]


def sentences() -> list[str]:
    """Read the everyday sentences: no names, no terms."""
    return SENTENCES.read_text("utf-8").split()


def _names(rng: Random) -> Iterator[str]:
    while True:
        given = rng.choices(_GIVEN, k=rng.choice(_GIVEN_LENGTHS))
        yield rng.choice(_SURNAMES) + "".join(given)


def _places(rng: Random) -> Iterator[str]:
    while True:
        stem = rng.choice(_PLACES) + rng.choice(_PLACES)
        yield stem + rng.choice(_KINDS_OF_PLACE)


def _phrases(rng: Random) -> Iterator[str]:
    known = phrases()
    rng.shuffle(known)
    yield from known


def _latin(rng: Random) -> Iterator[str]:
    pairs = list(product(_PIECES, _PIECES))
    rng.shuffle(pairs)
    for one, other in pairs:
        yield one + other
        yield "".join(rng.choices(_LETTERS, k=rng.choice((2, 3)))) + str(rng.randrange(1, 10_000))
        yield one + "-" + str(rng.randrange(1, 100))


def _mixed(rng: Random) -> Iterator[str]:
    while True:
        letters = "".join(rng.choices(_LETTERS, k=rng.choice((1, 2, 3))))
        yield letters + str(rng.randrange(1, 100)) * rng.randrange(2) + rng.choice(_MIXED)
