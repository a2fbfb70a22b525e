"""Phones: which brands and models there are, and who has which.

The catalogue of phones belongs to the world, so it is the same for every seed and scale. Its names are made from each
brand's lines of phones; brands with no line of their own number theirs alike, which is why one model name means
different phones under different brands, as in the real file.
"""

from __future__ import annotations

import itertools
import string
from dataclasses import dataclass

import numpy as np
import polars as pl

from sources.synthetic.people import People
from sources.synthetic.tastes import choices_by_group, draw_choices, draw_tastes

_BRANDS = (
    "小米", "三星", "华为", "OPPO", "vivo", "魅族", "酷派", "联想", "金立", "HTC", "中兴", "乐视", "索尼", "努比亚",
    "LG", "中国移动", "TCL", "锤子", "优米", "朵唯", "一加", "锋达通", "海信", "奇酷", "艾优尼", "语信", "诺基亚",
    "康佳", "酷比魔方", "米奇", "纽曼", "聆韵", "天语", "广信", "摩托罗拉", "尼比鲁", "飞利浦", "拓步", "德赛",
    "夏新", "长虹", "SUGAR", "本为", "百加", "小杨树", "青橙", "华硕", "昂达", "Lovme", "艾派尔", "海尔", "唯米",
    "亿通", "谷歌", "台电", "先锋", "大显", "恒宇丰", "波导", "北斗", "青葱", "邦华", "优购", "神舟", "果米",
    "普耐尔", "梦米", "易派", "爱派尔", "糯米", "宝捷讯", "贝尔丰", "蓝魔", "首云", "云狐", "奥克斯", "米歌", "西米",
    "大Q", "核心", "美图", "糖葫芦", "凯利通", "欧比", "百立丰", "宏碁", "黑米", "富可视", "万普拉斯", "白米", "瑞米",
    "沃普丰", "诺亚信", "维图", "虾米", "惠普", "诺维", "戴尔", "松下", "智镁", "金星数码", "努比", "鲜米", "飞秒",
    "欧新", "优语", "至尊宝", "锐合", "希姆通", "博瑞", "丰米", "斐讯", "新飞", "西门子", "中天", "天宏时代",
    "世纪天元", "联通", "电信", "魔百", "优思", "ZOYE", "Cube", "Ramos", "PPTV", "IUNI", "Vertu", "imoo", "Wiko",
    "Obee", "CCMC",
)  # fmt: skip
_SHARES = (23.1, 18.3, 17.4, 10.1, 9.9, 5.6, 3.2, 1.6, 1.0)  # percent of devices, of the nine great brands
_MODELS = (90, 160, 170, 100, 80, 28, 110, 90, 70)  # how many models each of them has
_LINES = {
    "小米": "MI |红米|红米Note |小米Note",
    "三星": "Galaxy S|Galaxy Note |Galaxy A|Galaxy J|Galaxy Grand |Galaxy Core ",
    "华为": "荣耀|荣耀畅玩|Mate |P|麦芒|Ascend G|畅享",
    "OPPO": "R|A|N|Find |U",
    "vivo": "X|Y|Xplay|Xshot|S",
    "魅族": "魅蓝|魅蓝Note |MX|PRO ",
    "酷派": "大神F|锋尚|K1 |酷派|大神Note ",
    "联想": "乐檬K|A|笋尖S|VIBE X|黄金斗士S",
    "金立": "GN|M|F|风华|天鉴W",
}
_ENDINGS = ("", "s", " Plus", "L", "T", " Pro", "移动版", "双卡版")
_BRAND_TASTE, _MODEL_TASTE = 0.27, 0.2


@dataclass(frozen=True)
class Phones:
    """The models on sale.

    Attributes
    ----------
    brand, model : ndarray of shape (n,), str
        No pair twice.
    chances : ndarray of shape (12, n)
        Cumulative probability of each in each group.
    """

    brand: np.ndarray
    model: np.ndarray
    chances: np.ndarray


def phones_on_sale(rng: np.random.Generator) -> Phones:
    """Make the catalogue: brands by their real shares, models of a brand by Zipf's law."""
    rest = 1 / (np.arange(len(_BRANDS) - len(_SHARES)) + 4.0)
    share = np.concatenate([np.array(_SHARES), rest * (100 - sum(_SHARES)) / rest.sum()]) / 100
    counts = np.concatenate([_MODELS, np.ceil(32 * np.sqrt(rest / rest[0]) ** 1.5)]).astype(int)
    models = [_model_names(rng, brand, count) for brand, count in zip(_BRANDS, counts, strict=True)]
    counts = np.array([len(names) for names in models])
    within = [1 / (np.arange(count) + 2.0) ** 1.1 for count in counts]
    popularity = np.concatenate([part * weights / weights.sum() for part, weights in zip(share, within, strict=True)])
    of_brand = np.repeat(draw_tastes(rng, len(_BRANDS)), counts, axis=0)
    tastes = _BRAND_TASTE * of_brand + _MODEL_TASTE * draw_tastes(rng, len(popularity))
    return Phones(np.repeat(_BRANDS, counts), np.concatenate(models), choices_by_group(popularity, tastes))


def _model_names(rng: np.random.Generator, brand: str, count: int) -> np.ndarray:
    """Up to `count` different names from the brand's lines, the plain ones first."""
    lines = _LINES[brand].split("|") if brand in _LINES else _small_lines(rng)
    plain = [f"{line}{number}" for line, number in itertools.product(lines, range(1, 10))]
    names = [name + ending for ending in _ENDINGS for name in rng.permutation(plain)]
    return np.array(names[:count])


def _small_lines(rng: np.random.Generator) -> list[str]:
    """Lines of phones named by a letter, as other brands' are too, or by two."""
    drawn = ("".join(rng.choice(list(string.ascii_uppercase), letters)) for letters in (1, 2, 2, 2, 2, 2, 2, 2, 2))
    return list(dict.fromkeys(drawn))


def phone_table(rng: np.random.Generator, people: People, phones: Phones) -> pl.DataFrame:
    """Columns of phone_brand_device_model: everyone of the two lists once, in random order, and some a second time.

    Where the second row differs, the first holds the phone that the owner's group chose.
    """
    sizes = people.sizes
    first = draw_choices(rng, phones.chances, people.group[: sizes.people])
    twice = rng.choice(sizes.people, sizes.duplicates, replace=False)
    second = first[twice]
    second[: sizes.conflicts] = (second[: sizes.conflicts] + 1) % len(phones.model)

    # a random place each; of a device's two rows, the first one keeps the earlier place
    place = rng.permutation(sizes.people + sizes.duplicates)
    early = np.minimum(place[twice], place[sizes.people :])
    late = np.maximum(place[twice], place[sizes.people :])
    place[twice], place[sizes.people :] = early, late

    order = np.argsort(place, kind="stable")
    device = np.concatenate([people.device_id[: sizes.people], people.device_id[twice]])[order]
    phone = np.concatenate([first, second])[order]
    return pl.DataFrame({"device_id": device, "phone_brand": phones.brand[phone], "device_model": phones.model[phone]})
