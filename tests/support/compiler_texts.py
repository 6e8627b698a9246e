"""Short transcripts in the form of the Edge TPU compiler's own, for the stand-in to replay."""

VERSION = "Edge TPU Compiler version 16.0.384591198\n"
TIMER = "Started a compilation timeout timer of 180 seconds.\n"
ENDED = "Compilation child process completed within timeout period.\n"
SUCCEEDED = "Compilation succeeded!\n"

MAPPED = "Mapped to Edge TPU"
UNSUPPORTED = "Operation not supported"


def success(*rows: tuple[str, int, str], subgraphs: int = 1) -> str:
    """A successful compilation whose operation table has these rows (op, count, status)."""
    on_tpu = sum(count for _, count, status in rows if status == MAPPED)
    total = sum(count for _, count, _ in rows)
    lines = [
        "Model compiled successfully in 12 ms.\n",
        "Input model: model.tflite",
        "Input size: 3.00KiB",
        "Output model: model_edgetpu.tflite",
        "Output size: 4.00KiB",
        "On-chip memory used for caching model parameters: 1.00MiB",
        "On-chip memory remaining for caching model parameters: 6.50MiB",
        "Off-chip memory used for streaming uncached model parameters: 2.00MiB",
        f"Number of Edge TPU subgraphs: {subgraphs}",
        f"Total number of operations: {total}",
        "Operation log: model_edgetpu.log\n",
    ]
    if on_tpu < total:
        lines += [
            "Model successfully compiled but not all operations are supported by the Edge TPU.",
            f"Number of operations that will run on Edge TPU: {on_tpu}",
            f"Number of operations that will run on CPU: {total - on_tpu}\n",
        ]
    lines += ["Operator                       Count      Status\n"]
    lines += [f"{op:<30} {count:<10} {status}" for op, count, status in rows]
    return VERSION + TIMER + "\n" + "\n".join(lines) + "\n" + ENDED + SUCCEEDED


def failure(*lines: str) -> str:
    """A failed compilation with these lines of error."""
    text = "".join(f"{line}\n" for line in lines)
    return f"{VERSION}{TIMER}{text}{ENDED}Compilation failed! \n"


ALL = (("RESHAPE", 1, MAPPED), ("FULLY_CONNECTED", 1, MAPPED), ("SOFTMAX", 1, MAPPED))
PARTLY = (*ALL[:2], ("SOFTMAX", 1, UNSUPPORTED))
NONE = tuple((op, count, UNSUPPORTED) for op, count, _ in ALL)
