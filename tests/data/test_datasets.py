"""Data sets: folders and zips of images of any kind, what is damaged in them, and torchvision's sets."""

import gzip
import io
import os
import pickle
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile, ImageOps
from torchvision.datasets import ImageFolder

from rgan.common.errors import DataError, SettingsError
from rgan.data import datasets
from tests.conftest import ROOT

SHARED = ROOT.parent / "shared" / "data"


def picture(seed=0, width=40, height=30, mode="RGB"):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(pixels).convert(mode)


def fill(folder, count=12, **options):
    folder.mkdir(exist_ok=True)
    for index in range(count):
        picture(index, **options).save(folder / f"{index:03}.png")
    return folder


def zipped(folder, path):
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"inside/{file.name}")
    return path


def test_digits_are_scikit_learns():
    from sklearn.datasets import load_digits

    data, apart = datasets.load("digits"), datasets.held_out("digits", size=32)
    assert data.images.shape == (1079, 1, 32, 32) and data.images.dtype == torch.uint8
    held = np.sort(torch.randperm(1797, generator=torch.Generator().manual_seed(0))[:718].numpy())
    theirs = load_digits()
    for part, found in ((np.setdiff1d(np.arange(1797), held), data), (held, apart)):
        assert found.labels.tolist() == theirs.target[part].tolist()
        back = np.stack(
            [np.asarray(Image.fromarray(x[0].numpy()).resize((8, 8), Image.Resampling.BOX)) for x in found.images]
        )
        assert np.corrcoef(back.ravel(), theirs.images[part].ravel())[0, 1] > 0.98
    assert torch.equal(data.some(5, seed=1), data.some(5, seed=1))
    whole = torch.empty(1797, 1, 32, 32, dtype=torch.uint8)
    whole[held], whole[np.setdiff1d(np.arange(1797), held)] = apart.images, data.images
    before = datasets.ImageData("digits", whole).fingerprint
    assert {"digits": before.rpartition("-")[0]} == datasets.BEFORE, (
        "what models were trained on whose files do not say"
    )


def test_a_folder_is_cropped_to_its_middle_and_resized_as_pillow_does(tmp_path):
    folder = fill(tmp_path / "mine")
    data = datasets.load(str(folder), size=16, root=tmp_path)
    assert data.name == "mine" and data.images.shape == (12, 3, 16, 16) and not data.skipped
    middle = picture(7).crop((5, 0, 35, 30)).resize((16, 16), Image.Resampling.BILINEAR)
    assert np.array_equal(data.images[7].permute(1, 2, 0).numpy(), np.asarray(middle))


def test_a_zip_gives_what_its_folder_gives(tmp_path):
    folder = fill(tmp_path / "mine")
    zipped(folder, tmp_path / "packed.zip")
    one, other = (datasets.load(name, size=16, root=tmp_path) for name in ("mine", "packed.zip"))
    assert torch.equal(one.images, other.images)
    assert datasets.own_sets(tmp_path) == ["mine", "packed.zip"]


def test_folders_tell_classes_as_torchvisions_do(tmp_path):
    for name in ("white/0", "grey/1", "grey/deep/2", "black/3"):
        (tmp_path / "cats" / name).parent.mkdir(parents=True, exist_ok=True)
        picture(9).save(tmp_path / "cats" / f"{name}.png")
    (tmp_path / "cats" / "grey" / "1b.png").write_bytes(b"no image")
    theirs = ImageFolder(tmp_path / "cats")
    found = datasets.load("cats", root=tmp_path, size=8)
    named = {Path(path).stem: label for path, label in theirs.samples if "1b" not in path}
    assert found.classes == tuple(theirs.classes) and found.labels.tolist() == [named[k] for k in "3120"]
    assert datasets.load("cats", root=tmp_path, size=8).labels.tolist() == found.labels.tolist(), "as kept"


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (["all/0", "all/1"], ()),
        (["0", "a/1"], ()),
        (["train/0", "test/1"], ()),
        (["set/train/a/0", "set/Test/b/1"], ("a", "b")),
    ],
)
def test_folders_that_tell_nothing_are_no_classes(tmp_path, names, classes):
    for name in names:
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        picture(9).save(tmp_path / "set" / f"{name}.png")
    found = datasets.load("set", root=tmp_path, size=8)
    assert found.classes == classes and (found.labels is None) == (not classes)


@pytest.mark.parametrize(("side", "size"), [(20, 32), (40, 32), (50, 48), (64, 64), (300, 64)])
def test_size_and_channels_are_the_images_own(tmp_path, side, size):
    fill(tmp_path / "colour", 3, width=side + 9, height=side)
    fill(tmp_path / "grey", 3, width=side, height=side + 5, mode="L")
    assert datasets.about("colour", tmp_path).size == size == datasets.about("grey", tmp_path).size
    assert datasets.about("colour", tmp_path).channels == 3
    assert datasets.about("grey", tmp_path).channels == 1
    assert datasets.load("grey", root=tmp_path).images.shape == (3, 1, size, size)


def test_images_of_every_kind(tmp_path):
    """Palette, 16 bit, transparent on white, turned by its EXIF tag, and two frames: all are one RGB square.

    Integers of 16 bits run to 65,535, whatever the largest of them in an image is.
    """
    folder = tmp_path / "mixed"
    folder.mkdir()
    picture(mode="P").save(folder / "a.gif", save_all=True, append_images=[picture(1)])
    Image.fromarray(np.full((20, 20), 65535, np.uint16)).save(folder / "b.png")
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(folder / "c.png")
    turned = Image.new("RGB", (20, 20), "black")
    turned.paste("white", (0, 0, 20, 10))  # white above
    exif = turned.getexif()
    exif[0x0112] = 6  # to be shown turned right by 90°
    turned.save(folder / "d.jpg", exif=exif, quality=100)
    (folder / "notes.txt").write_text("no image")
    Image.fromarray(np.full((9, 9), 32896, np.uint16)).save(folder / "e.tif")
    for index, level in enumerate((257 * 3, 200)):
        Image.fromarray(np.full((9, 9), level, np.uint16)).save(folder / f"f{index}.png")
    images = datasets.load("mixed", size=8, root=tmp_path).images
    assert images.shape == (7, 3, 8, 8)
    assert (images[4] == 128).all() and (images[5] == 3).all() and (images[6] == 1).all()
    assert (images[1] == 255).all() and (images[2] == 255).all()
    assert images[3, :, :, 7].float().mean() > 240 and images[3, :, :, 0].float().mean() < 15  # white to the right


@pytest.mark.parametrize(
    ("levels", "seen", "said"),
    [
        (np.array([0, 255, 128], np.int32), [0, 255, 128], "0 as black and 255 as white"),
        (np.array([0, 65535, 32896], np.int32), [0, 255, 128], "0 as black and 65535 as white"),
        (np.array([0, 2**20, 2**19], np.int32), [0, 255, 128], "0 as black and 1.04858e+06 as white"),
        (np.array([0, 1, 0.5], np.float32), [0, 255, 128], "0 as black and 1 as white"),
        (np.array([0, 1, 0.5], np.float32) * 255, [0, 255, 128], "0 as black and 255 as white"),
        (np.array([-1, 1, 0], np.float32), [0, 255, 128], "-1 as black and 1 as white"),
        (np.array([-3, 1, -1], np.float32), [0, 255, 128], "-3 as black and 1 as white"),
    ],
)
def test_levels_of_32_bits_run_over_what_a_set_holds_and_that_is_said(tmp_path, levels, seen, said):
    """A dark image of a set stays dark."""
    (tmp_path / "deep").mkdir()
    for index, level in enumerate(levels):
        Image.fromarray(np.full((9, 9), level, levels.dtype)).save(tmp_path / "deep" / f"{index}.tif")
    Image.new("L", (9, 9), 7).save(tmp_path / "deep" / "9.png")
    found = datasets.load("deep", size=8, root=tmp_path)
    assert found.images[:, 0, 0, 0].tolist() == [*seen, 7] and found.images.shape[1] == 1
    (remark,) = found.remarks
    assert "3 images of 32 bits" in remark and said in remark


def test_links_are_followed_each_image_once_and_cycles_end(tmp_path):
    (tmp_path / "store").mkdir()
    fill(tmp_path / "store" / "a", 4)
    fill(tmp_path / "mine", 3)
    (tmp_path / "mine" / "link").symlink_to(tmp_path / "store" / "a")
    (tmp_path / "mine" / "again").symlink_to(tmp_path / "store")
    (tmp_path / "mine" / "round").symlink_to(tmp_path / "mine")
    (tmp_path / "mine" / "gone.png").symlink_to(tmp_path / "nowhere")
    assert len(datasets.load("mine", size=8, root=tmp_path).images) == 7
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "only").symlink_to(tmp_path / "store" / "a")
    assert len(datasets.load("linked", size=8, root=tmp_path).images) == 4
    assert set(datasets.own_sets(tmp_path)) == {"linked", "mine", "store"}


@pytest.mark.parametrize("kind", ["jfif", "avif", "jp2", "tga", "pcx", "qoi", "ico", "pbm", "dib"])
def test_whatever_pillow_opens_is_read(tmp_path, kind):
    (tmp_path / "mine").mkdir()
    shown = picture(0, mode="1" if kind == "pbm" else "RGB")
    options = {"format": "JPEG"} if kind == "jfif" else {"sizes": [(40, 30)]} if kind == "ico" else {}
    shown.save(tmp_path / "mine" / f"it.{kind.upper()}", **options)
    found = datasets.load("mine", size=30, root=tmp_path)
    middle = np.asarray(shown.convert("RGB").crop((5, 0, 35, 30)), float)
    tolerance = 60 if kind in ("jfif", "avif", "jp2") else 0  # noise is hard to compress
    assert np.abs(found.images[0].permute(1, 2, 0).numpy() - middle).mean() <= tolerance


def test_what_pillow_cannot_open_is_counted_by_name(tmp_path):
    folder = fill(tmp_path / "mine", 3)
    for name in ("a.heic", "b.HEIC", "c.svg", ".hidden.heic", "notes.txt"):
        (folder / name).write_bytes(b"?")
    skipped = datasets.load("mine", size=8, root=tmp_path).skipped
    assert [words.split(",")[0] for words in skipped] == ["2 .heic files", "1 .svg file"]
    (tmp_path / "phone").mkdir()
    (tmp_path / "phone" / "a.heic").write_bytes(b"?")
    with pytest.raises(DataError, match=r"found 1 \.heic file, which Pillow cannot open: save as \.png"):
        datasets.load("phone", root=tmp_path)


def test_a_palette_of_greys_is_grey(tmp_path):
    grey = picture(mode="L")
    for kind in ("gif", "png"):
        (tmp_path / kind).mkdir()
        grey.convert("P").save(tmp_path / kind / f"0.{kind}")
        unused = grey.quantize(8)
        palette = unused.getpalette()
        palette[-3:] = [255, 0, 0]  # of a colour that no pixel has
        unused.putpalette(palette)
        unused.point(lambda level: min(level, 6)).save(tmp_path / kind / f"1.{kind}")
        assert datasets.about(kind, tmp_path).channels == 1
        picture().quantize(8).save(tmp_path / kind / f"2.{kind}")
        assert datasets.about(kind, tmp_path).channels == 3


def test_one_bad_zip_costs_itself_alone(tmp_path):
    fill(tmp_path / "good")
    zipped(tmp_path / "good", tmp_path / "good.zip")
    whole = (tmp_path / "good.zip").read_bytes()
    at = whole.rindex(b"PK\x01\x02")
    (tmp_path / "name.zip").write_bytes(whole[: at + 46] + b"\xff\xfe" + whole[at + 48 :])  # no text
    flagged = bytearray((tmp_path / "name.zip").read_bytes())
    flagged[at + 9] |= 8  # said to be UTF-8
    (tmp_path / "name.zip").write_bytes(flagged)
    (tmp_path / "short.zip").write_bytes(whole[:-30])
    assert datasets.own_sets(tmp_path) == ["good", "good.zip"]
    assert list(datasets.broken_zips(tmp_path)) == ["name.zip", "short.zip"]
    for name in ("name.zip", "short.zip"):
        with pytest.raises(DataError, match=f"got {name}, a zip that is damaged or cut short; copy or pack it again$"):
            datasets.load(name, root=tmp_path)
    (tmp_path / "text.zip").write_bytes(b"no zip at all")
    with pytest.raises(DataError, match=r"got text\.zip, which is neither; name another$"):
        datasets.load("text.zip", root=tmp_path)


def test_an_unknown_compression_is_named(tmp_path):
    fill(tmp_path / "good", 3)
    whole = zipped(tmp_path / "good", tmp_path / "good.zip").read_bytes()
    for method, words in ((9, "Deflate64"), (93, "method 93")):
        changed = bytearray(whole)
        for signature, offset in ((b"PK\x01\x02", 10), (b"PK\x03\x04", 8)):
            at = -1
            while (at := whole.find(signature, at + 1)) >= 0:
                changed[at + offset] = method
        (tmp_path / "odd.zip").write_bytes(changed)
        with pytest.raises(DataError, match=f"odd.zip, which is compressed with {words}; unpack it"):
            datasets.load("odd.zip", root=tmp_path)


def test_a_folder_may_have_the_longest_name_there_is(tmp_path):
    name = "猫" * 85  # 255 bytes
    fill(tmp_path / name, 5)
    assert len(datasets.load(name, size=8, root=tmp_path).images) == 5


def test_damaged_images_are_named_and_skipped_up_to_a_limit(tmp_path):
    folder = fill(tmp_path / "mine", 30)
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("not an image")
    whole = (folder / "003.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    for name in ("mine", zipped(folder, tmp_path / "mine.zip").name):
        data = datasets.load(name, size=16, root=tmp_path)
        assert len(data.images) == 30
        assert sorted(os.path.basename(skipped) for skipped in data.skipped) == ["cut.png", "empty.png", "text.jpg"]
    for index in range(8):
        (folder / f"bad{index}.png").write_bytes(b"\x89PNG nothing")
    with pytest.raises(DataError, match=r"more than 10 of 41 .*bad0\.png.*remove or replace"):
        datasets.load("mine", size=16, root=tmp_path)
    left = [path.name for path in (tmp_path / "prepared").iterdir() if path.is_dir()]
    assert len(left) == 2  # nothing of the refused one


def test_a_picture_of_billions_of_pixels_is_not_unpacked(tmp_path):
    folder = fill(tmp_path / "mine")
    header = Image.new("1", (1, 1))
    buffer = io.BytesIO()
    header.save(buffer, "PNG")
    data = bytearray(buffer.getvalue())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    import zlib

    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    (folder / "bomb.png").write_bytes(data)
    assert datasets.load("mine", size=16, root=tmp_path).skipped == ("bomb.png (more than 64 megapixels)",)


def test_what_is_too_large_is_named_in_a_folder_and_in_a_zip_alike(tmp_path):
    folder = fill(tmp_path / "mine")
    Image.new("1", (9000, 9000)).save(folder / "wide.png")  # a few kB
    Image.new("RGB", (4800, 4800)).save(folder / "heavy.bmp")  # 66 MiB
    with zipfile.ZipFile(tmp_path / "packed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    for name in ("mine", "packed.zip"):
        data = datasets.load(name, size=16, root=tmp_path)
        assert data.skipped == ("heavy.bmp (more than 64 MiB)", "wide.png (more than 64 megapixels)")
        assert len(data.images) == 12
    for file in folder.glob("0*.png"):
        file.unlink()
    with pytest.raises(DataError, match=r"could read none of 2: heavy\.bmp \(more than 64 MiB\), wide\.png"):
        datasets.about("mine", tmp_path)


def test_looking_at_a_set_decodes_nothing(tmp_path, monkeypatch):
    zipped(fill(tmp_path / "mine"), tmp_path / "packed.zip")
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("decoded"))
    for name in ("mine", "packed.zip"):
        assert datasets.about(name, tmp_path) == datasets.About(32, 3, "12 images")


def test_looking_at_a_set_again_opens_no_image(tmp_path, monkeypatch):
    folder = fill(tmp_path / "mine", mode="L")
    first = datasets.about("mine", tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(Image, "open", lambda *_: pytest.fail("opened again"))
        assert datasets.about("mine", tmp_path) == first
    picture().save(folder / "new.png")
    assert datasets.about("mine", tmp_path) == datasets.About(32, 3, "13 images")


def test_a_damaged_tag_or_level_is_the_images_own_fault(tmp_path):
    """What fails only when an image is turned or scaled is named and skipped like what cannot be decoded."""
    folder = fill(tmp_path / "mine")
    picture().save(folder / "tag.png", exif=b"no such tags")
    with pytest.raises(SyntaxError), Image.open(folder / "tag.png") as image:
        ImageOps.exif_transpose(image)
    for name, level in (("nan.tif", np.nan), ("inf.tif", np.inf)):
        Image.fromarray(np.full((40, 40), level, np.float32)).save(folder / name)
    data = datasets.load("mine", size=16, root=tmp_path)
    assert data.skipped == ("inf.tif", "nan.tif", "tag.png") and len(data.images) == 12


def test_an_encrypted_zip_is_named_as_one(tmp_path):
    path = zipped(fill(tmp_path / "mine"), tmp_path / "locked.zip")
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):  # the flag of an entry that is encrypted
        at = -1
        while (at := content.find(signature, at + 1)) >= 0:
            content[at + offset] |= 1
    path.write_bytes(content)
    for call in (datasets.about, lambda name, root: datasets.load(name, size=16, root=root)):
        with pytest.raises(DataError, match=r"locked\.zip, which is encrypted; unpack it"):
            call("locked.zip", tmp_path)


def test_one_small_image_does_not_make_the_set_small(tmp_path):
    fill(tmp_path / "mine", 12, width=200, height=200)
    picture(width=1, height=1).save(tmp_path / "mine" / "aaa.png")
    assert datasets.about("mine", tmp_path).size == 64
    for index in range(3):  # four of sixteen are no exception
        picture(width=40, height=50).save(tmp_path / "mine" / f"b{index}.png")
    assert datasets.about("mine", tmp_path).size == 32


def test_images_are_decoded_once_and_again_when_they_change(tmp_path, monkeypatch):
    folder = fill(tmp_path / "mine")
    seen = []
    first = datasets.load("mine", size=16, root=tmp_path, report=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 12), (12, 12)]
    with monkeypatch.context() as patched:
        patched.setattr(datasets, "square", lambda *_: pytest.fail("decoded again"))
        assert torch.equal(datasets.load("mine", size=16, root=tmp_path).images, first.images)
    picture(99).save(folder / "002.png")
    again = datasets.load("mine", size=16, root=tmp_path).images
    assert not torch.equal(again[2], first.images[2]) and torch.equal(again[3:], first.images[3:])


def test_an_interrupted_preparation_leaves_nothing(tmp_path):
    fill(tmp_path / "mine")

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        datasets.load("mine", size=16, root=tmp_path, report=stop)
    assert not [path for path in (tmp_path / "prepared").iterdir() if path.is_dir()]
    assert len(datasets.load("mine", size=16, root=tmp_path).images) == 12


def test_a_damaged_preparation_says_what_to_do(tmp_path):
    fill(tmp_path / "mine")
    datasets.load("mine", size=16, root=tmp_path)
    (pixels,) = (tmp_path / "prepared").glob("*/images.raw")
    pixels.write_bytes(pixels.read_bytes()[:100])
    with pytest.raises(DataError, match="delete that folder"):
        datasets.load("mine", size=16, root=tmp_path)


@pytest.mark.parametrize("name", ["mnist", "cifar10", "stl10", "celeba"])
def test_missing_data_says_how_to_get_it(tmp_path, name):
    with pytest.raises(DataError, match=f"fetch it once with `python -m rgan data {name} --download"):
        datasets.load(name, root=tmp_path)


def test_a_download_that_fails_is_told_in_one_line(tmp_path, monkeypatch):
    import torchvision.datasets

    def fails(*_, **__):
        raise RuntimeError("Error downloading images.gz:\nTried https://a, got:\n<urlopen error>\n")

    monkeypatch.setattr(torchvision.datasets, "MNIST", fails)
    with pytest.raises(DataError, match=r"got: Error downloading images\.gz: Tried https://a, got: <urlopen error>;"):
        datasets.load("mnist", root=tmp_path, download=True)


def test_the_command_that_fetches_can_be_pasted(tmp_path):
    root = tmp_path / "my data"
    with pytest.raises(DataError) as caught:
        datasets.load("cifar10", root=root)
    command = str(caught.value).split("`")[1]
    assert shlex.split(command)[-2:] == ["--data-root", str(root)]


def test_colour_anywhere_is_colour(tmp_path):
    """Even in one image of many."""
    fill(tmp_path / "mine", 80, mode="L")
    picture().save(tmp_path / "mine" / "033.png")
    assert datasets.about("mine", tmp_path).channels == 3
    assert datasets.load("mine", root=tmp_path).images.shape[1] == 3


def test_names_are_looked_up_in_the_data_folder_first(tmp_path, monkeypatch):
    fill(tmp_path / "data", 1).rename(tmp_path / "x")
    (tmp_path / "data").mkdir()
    fill(tmp_path / "data" / "x", 3)
    fill(tmp_path / "data" / "mnist", 3)  # not torchvision's
    monkeypatch.chdir(tmp_path)
    assert len(datasets.load("x", size=16).images) == 3
    assert datasets.own_sets("data") == ["x"]
    odd = fill(tmp_path / "data" / "odd", 3)
    os.rename(os.fsencode(odd / "000.png"), os.fsencode(odd) + b"/\xff.png")
    assert len(datasets.load("odd", size=16).images) == 3


def test_what_is_no_data_set_is_said(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.zip").write_text("no zip")
    for name, said in (
        ("nowhere", "digits, mnist"),
        ("x" * 300, "check its name"),
        ("empty", "found none"),
        ("text.zip", "neither"),
    ):
        with pytest.raises(DataError, match=said):
            datasets.load(name, root=tmp_path)
    assert datasets.own_sets(tmp_path) == [] == datasets.own_sets(tmp_path / "nowhere")
    with pytest.raises(SettingsError, match="8 to 1,024"):
        datasets.load("digits", size=4)
    with pytest.raises(SettingsError, match="size 32"):
        datasets.load("cifar10", size=48)


def test_stl10_is_read_from_its_official_files(tmp_path, monkeypatch):
    """Its layout in small: column-major planes of 96×96, train before unlabeled."""
    from torchvision.datasets import STL10

    monkeypatch.setattr(STL10, "_check_integrity", lambda self: True)
    folder = tmp_path / "stl10_binary"
    folder.mkdir()
    rng = np.random.default_rng(0)
    parts = {
        name: rng.integers(0, 256, (count, 3, 96, 96), np.uint8) for name, count in (("train", 2), ("unlabeled", 3))
    }
    for name, pixels in parts.items():
        (folder / f"{name}_X.bin").write_bytes(pixels.transpose(0, 1, 3, 2).tobytes())
    (folder / "train_y.bin").write_bytes(bytes([1, 2]))
    (folder / "class_names.txt").write_text("a\nb\n")
    images = datasets.load("stl10", root=tmp_path).images
    assert images.shape == (5, 3, 48, 48)
    expected = Image.fromarray(parts["unlabeled"][1].transpose(1, 2, 0)).resize((48, 48), Image.Resampling.BILINEAR)
    assert np.array_equal(images[3].permute(1, 2, 0).numpy(), np.asarray(expected))


def test_celeba_is_cropped_to_178_and_resized(tmp_path, monkeypatch):
    from torchvision.datasets import CelebA

    monkeypatch.setattr(CelebA, "_check_integrity", lambda self: True)
    folder = tmp_path / "celeba" / "img_align_celeba"
    folder.mkdir(parents=True)
    for index in range(3):
        picture(index, 178, 218).save(folder / f"{index:06}.png")
    names = [f"{index:06}.png" for index in range(3)]
    tables = {"list_eval_partition": 1, "identity_CelebA": 1, "list_bbox_celeba": 4, "list_landmarks_align_celeba": 10}
    for table, columns in (tables | {"list_attr_celeba": 40}).items():
        rows = [f"{name} {' '.join(['1'] * columns)}" for name in names]
        head = [] if table in ("list_eval_partition", "identity_CelebA") else ["3", " ".join(["x"] * columns)]
        (tmp_path / "celeba" / f"{table}.txt").write_text("\n".join(head + rows) + "\n")
    images = datasets.load("celeba", root=tmp_path).images
    assert images.shape == (3, 3, 64, 64)
    expected = picture(1, 178, 218).crop((0, 20, 178, 198)).resize((64, 64), Image.Resampling.BILINEAR)
    assert np.array_equal(images[1].permute(1, 2, 0).numpy(), np.asarray(expected))


def test_cifar10_is_read(tmp_path):
    if not (SHARED / "unpack.py").exists():
        pytest.skip("CIFAR-10's files are not beside the checkout")
    subprocess.run([sys.executable, SHARED / "unpack.py", tmp_path], check=True, stdout=subprocess.DEVNULL)
    data = datasets.load("cifar10", root=tmp_path)
    found = pickle.loads((tmp_path / "cifar-10-batches-py" / "data_batch_3").read_bytes(), encoding="bytes")
    assert data.images.shape == (50_000, 3, 32, 32)
    assert np.array_equal(data.images[20_000:30_000].reshape(10_000, -1).numpy(), found[b"data"])
    assert data.labels[20_000:30_000].tolist() == found[b"labels"]


def test_mnist_is_read_and_padded(tmp_path):
    if not (SHARED / "mnist").is_dir():
        pytest.skip("MNIST's files are not beside the checkout")
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for file in (SHARED / "mnist").glob("*.gz"):
        (raw / file.stem).write_bytes(gzip.decompress(file.read_bytes()))
    pixels = np.frombuffer((raw / "train-images-idx3-ubyte").read_bytes()[16:], np.uint8).reshape(-1, 28, 28)
    data = datasets.load("mnist", root=tmp_path)
    assert data.images.shape == (60_000, 1, 28, 28) and np.array_equal(data.images[:, 0].numpy(), pixels)
    padded = datasets.load("mnist", size=32, root=tmp_path).images
    assert torch.equal(padded[:, :, 2:30, 2:30], data.images) and not padded[:, :, :2].any()


@pytest.mark.parametrize(
    ("file", "count", "size"), [("drawn-faces-64.zip", 5000, 64), ("stl10-examples-96.zip", 246, 64)]
)
def test_real_zips_are_read(tmp_path, file, count, size):
    if not (SHARED / file).exists():
        pytest.skip("the zips are not beside the checkout")
    data = datasets.load(str(SHARED / file), root=tmp_path)
    assert data.images.shape == (count, 3, size, size) and not data.skipped
