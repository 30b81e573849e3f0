"""What a file from elsewhere may ask for: every limit on checkpoints, uploads and what is built from them.

The largest network of the paper's tables has 20 million weights; the published ones that can be imported have fewer.
A file beyond a limit is refused before memory is taken for it.
"""

from __future__ import annotations

MIB = 2**20

# Of a file.
MAX_BYTES = 256 * MIB  # any checkpoint, of RGAN Lab or not
MAX_HEADER_BYTES = 2 * MIB  # the JSON before the weights of a safetensors file
MAX_REFERENCES = 4096  # real images kept in a checkpoint
MAX_ENTRIES = 20_000  # files in a zip, as torch.save writes, or storages in the format before it
MAX_DIRECTORY_BYTES = 2 * MIB  # the list of them in a zip
MAX_ORIGIN = 20_000  # characters about where an imported checkpoint comes from
MAX_PICKLE_BYTES = 16 * MIB  # the part of a .pth that says what its tensors are; for a GAN it is a few kB
MAX_CODE_BYTES = 4 * MIB  # of a TorchScript archive
MAX_GRAPH_BYTES = 8 * MIB  # of JSON about a program of torch.export
MAX_OPERATIONS = 500_000  # instructions of such a pickle; about a second of work
MAX_NODES = 200_000  # dictionaries, lists and values found in it
MAX_DEPTH = 8  # of dictionaries within dictionaries
MAX_NAME = 256  # characters of a tensor's name

# Of what is sent to the app.
MAX_FILES = 4  # of one model
MAX_UPLOAD_BYTES = 64 * MIB  # a file; app/.streamlit/config.toml tells the server the same
OPERATOR_FILES, OPERATOR_BYTES = 500, 8192 * MIB  # models kept for the server's operator
VISITOR_FILES, VISITOR_BYTES = 4, 128 * MIB  # for anybody else, where the operator lets them
VISITORS_BYTES = 2048 * MIB  # for all of them together

# Of the tensors in it.
MAX_TENSORS = 4096
MAX_DIMENSIONS = 8
MAX_GROUPS = 64  # dictionaries of tensors, each of which may be a network; of a GAN there are two or three
MAX_TRIED = 512  # layers in all of them together: the more, the longer it takes to say what they are
MAX_LENGTHS = 32  # different inputs of linear layers that are tried as a critic's images
MAX_NUMBERS = 64 * MIB  # of all tensors together; 256 MiB once they are float32

# Of the process that reads pickles, which nothing is executed in, and which may write no file.
READER_MEMORY = 1024 * MIB
READER_SECONDS = 20

# Of a network that a file describes layer by layer.
MAX_LAYERS = 256
MAX_CLASSES = 1000  # that a conditional generator draws
MAX_FEATURES = 4 * MIB  # numbers between two layers, per image
MAX_WORK = 2**35  # multiplications for one image
