# SPDX-License-Identifier: Apache-2.0
"""Makes the stored corpora of the fuzz targets: python make_corpus.py ATTN_TRAIN NVCC

Files found by fuzzing that once failed are added by hand, under a name that says what they are.
"""

import gzip
import io
import json
import lzma
import pathlib
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile

CORPUS = pathlib.Path(__file__).parent / "corpus"
TABLE_FORMATS = ("csv", "tsv", "jsonl", "csv.gz")  # in the order of table_fuzz.cpp
ENCODINGS = ("utf-8", "latin-1", "utf-16")


def store(target: str, name: str, content: bytes) -> None:
    file = CORPUS / target / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def header_and_data(file: bytes) -> tuple[dict, bytes]:
    (length,) = struct.unpack("<Q", file[:8])
    return json.loads(file[8 : 8 + length]), file[8 + length :]


def without_checksum(file: bytes, **metadata: str) -> bytes:
    """The header, a line end and the data; a file without a checksum is accepted, so that changed inputs can be valid."""
    header, data = header_and_data(file)
    header["__metadata__"] = {name: text for name, text in header["__metadata__"].items() if "checksum" not in name}
    header["__metadata__"] |= metadata
    return json.dumps(header).encode() + b"\n" + data


def make_models(attn_train: str) -> None:
    sizes = [
        "--vocabulary", "12", "--length", "4", "--embedding", "2", "--hidden", "1", "--attention-width", "2", "--query-width", "1",
    ]  # fmt: skip
    for name, options in {"pooling": [], "additive_fp16": ["--attention", "additive", "--storage", "fp16", "--mask"]}.items():
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                [
                    attn_train, "train", "--output", folder, "--epochs", "1", "--generated-train", "8", "--generated-test", "4",
                    "--no-cache", "--device", "cpu", "--threads", "1", *sizes, *options,
                ],
                check=True,
            )  # fmt: skip
            for kind in ("model", "best"):
                file = pathlib.Path(folder, f"{kind}.safetensors").read_bytes()
                store("model", f"{name}_{kind}", without_checksum(file))
                store("safetensors", f"{name}_{kind}", file)


def make_caches(attn_train: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder, "reviews.csv")
        data.write_text("neg,dull film\npos,good film\n" * 5)
        subprocess.run(
            [
                attn_train, "train", "--data", str(data), "--cache", folder, "--vocabulary", "16", "--output", folder + "/run",
                "--epochs", "1", "--embedding", "2", "--hidden", "1", "--device", "cpu",
            ],
            check=True,
        )  # fmt: skip
        (cache,) = pathlib.Path(folder).glob("encoded-*.safetensors")
        store("cache", "reviews", without_checksum(cache.read_bytes(), key="key"))


def make_safetensors() -> None:
    entry = {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}
    headers = {
        "one_tensor": ({"x": entry}, bytes(8)),
        "empty_header": ({}, b""),
        "empty_tensor": ({"x": {"dtype": "I64", "shape": [0, 3], "data_offsets": [0, 0]}}, b""),
        "metadata": ({"__metadata__": {"a": "b"}, "x": entry}, bytes(8)),
    }
    for name, (header, data) in headers.items():
        text = json.dumps(header).encode()
        store("safetensors", name, struct.pack("<Q", len(text)) + text + data)
    store("safetensors", "deep", struct.pack("<Q", 4000) + b"[" * 4000)


def make_tables() -> None:
    tables = {
        "plain": ("csv", "neg,dull\npos,good\n" * 5),
        "header": ("csv", "id,v1,v2\r\n" + '1,ham,"a ""b"" c"\r\n2,spam,"two\nlines"\r\n' * 5),
        "empty_texts": ("csv", "neg,\npos,good\nneg,dull\n" * 5),
        "quotes": ("tsv", 'sentence\tlabel\n"starts\t0\nhas "quotes"\t1\n' + "a\t0\nb\t1\n" * 5),
        "lines": ("jsonl", '{"text": "good \\u00e9", "label": 1}\n{"text": "dull", "label": 0, "id": [1]}\n' * 5),
        "marks": ("csv", "\ufeffneg,dull\n\ufeffpos,good\n" * 5),
        "words": ("csv", "neg,It's a na\u00efve\u00a0e\u0301tude<br />\u0928\u092e\u0938\u094d\u0924\u0947\npos,GOOD\n" * 5),
    }
    for name, (kind, text) in tables.items():
        for number, encoding in enumerate(ENCODINGS):
            content = text.encode(encoding, errors="replace")
            choice = TABLE_FORMATS.index(kind) + len(TABLE_FORMATS) * number
            if encoding == "utf-8" or name == "header":
                store("table", f"{name}_{encoding}", bytes([choice]) + content)
    packed = gzip.compress(tables["plain"][1].encode(), mtime=0)
    store("table", "compressed", bytes([TABLE_FORMATS.index("csv.gz")]) + packed)
    for name, (_, text) in tables.items():
        store("tokenizer", name, text.encode())


def make_archives() -> None:
    def archive(links: bool) -> bytes:
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT if links else tarfile.USTAR_FORMAT) as tar:
            for part in ("train", "test"):
                for label in ("neg", "pos"):
                    member = tarfile.TarInfo(f"aclImdb/{part}/{label}/0_1.txt")
                    member.size = 4
                    tar.addfile(member, io.BytesIO(b"film"))
                    if links:
                        link = tarfile.TarInfo(f"aclImdb/{part}/{label}/1_1_\u00e9.txt")
                        link.type = tarfile.SYMTYPE if label == "neg" else tarfile.LNKTYPE
                        link.linkname = "0_1.txt" if label == "neg" else member.name
                        tar.addfile(link)
        return content.getvalue()

    plain = archive(links=False)
    store("archive", "plain", plain)
    store("archive", "links", archive(links=True))
    store("archive", "gz", gzip.compress(plain, mtime=0))
    store("archive", "xz", lzma.compress(plain))
    for name, files in {
        "zip": {"train/neg/1.txt": "dull", "train/pos/1.txt": "good", "test/pos/1.txt": "fine"},
        "zip_of_table": {"IMDB Dataset.csv": "review,sentiment\n" + "dull,neg\ngood,pos\n" * 5},
    }.items():
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive_file:
            for file, text in files.items():
                archive_file.writestr(zipfile.ZipInfo(file), text)
        store("archive", name, content.getvalue())


def make_ptx(nvcc: str) -> None:
    sources = {
        "shared": "__global__ void f(float* x, int n) { __shared__ float s[32]; s[threadIdx.x] = x[threadIdx.x]; "
        "__syncthreads(); if (n > 3) atomicAdd(x, s[n & 31] * 0.1f); }",
        "constant": "__constant__ double c[2] = {1.5, -2}; __device__ const char* p = \"word\"; "
        "__global__ void f(double* x) { x[0] = c[x[1] > 0] + p[1]; }",
        "call": "__device__ __noinline__ int g(int n) { return n < 2 ? n : g(n - 1) + g(n - 2); } "
        "__global__ void __launch_bounds__(64) f(int* x) { switch (*x) { case 1: *x = g(*x); break; case 2: x[1] = 3; break; "
        "case 3: x[2] = 7; break; case 4: x[3] = 9; break; case 5: x[4] = 5; } }",
        "vector": "__global__ void f(float4* x) { asm volatile(\"{ .reg .pred p; setp.ne.s32 p, %0, 0; @p trap; }\" :: "
        "\"r\"((int)clock())); x[1] = x[0]; }",
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, source in sources.items():
            file = pathlib.Path(folder, name + ".cu")
            file.write_text(source)
            text = file.with_suffix(".ptx")
            subprocess.run([nvcc, "-ptx", "-arch=sm_90", "-o", text, file], check=True)
            lines = [line for line in text.read_text().splitlines() if not line.startswith("//")]
            store("ptx", name, "\n".join(lines).encode())


def main() -> None:
    attn_train, nvcc = sys.argv[1:]
    make_models(attn_train)
    make_caches(attn_train)
    make_safetensors()
    make_tables()
    make_archives()
    make_ptx(nvcc)


if __name__ == "__main__":
    main()
