"""Reads the stacks out of austin's binary output (MOJO, version 3: github.com/P403n1x87/austin/wiki)."""


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def number(self):
        """Six bits and a sign in the first byte, seven in each that follows."""
        byte = self.byte()
        value, shift = byte & 0x3F, 6
        while byte & 0x80:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
        return value

    def text(self):
        end = self.data.index(0, self.at)
        text = self.data[self.at : end].decode(errors="replace")
        self.at = end + 1
        return text


def stacks(data):
    """Yields each sample's function names, outermost first; None for one that austin calls invalid."""
    reader = Reader(data)
    assert data[:3] == b"MOJ", "not austin's output"
    reader.at = 3
    reader.number()
    strings, frames, names, valid, begun = {}, {}, [], True, False
    try:
        while reader.at < len(data):
            event = reader.byte()
            if event == 1:  # metadata
                reader.text(), reader.text()
            elif event == 2:  # a sample begins: process, interpreter, thread
                reader.number(), reader.number(), reader.text()
                names, valid, begun = [], True, True
            elif event == 3:  # a frame: key, file, function, line, its end, column, its end
                key, _, name = reader.number(), reader.number(), reader.number()
                frames[key] = name
                for _ in range(4):
                    reader.number()
            elif event == 4:
                valid = False
            elif event == 5:
                key = reader.number()
                names.append(strings.get(frames.get(key), "?"))
            elif event == 6:
                reader.text()
            elif event in (9, 10):  # the sample's time, or memory: its end
                reader.number()
                if event == 9 and begun:
                    yield names if valid and names else None
                    begun = False
            elif event == 11:
                key = reader.number()
                strings[key] = reader.text()
            elif event not in (0, 7, 8):
                raise ValueError("unknown event %d at %d" % (event, reader.at - 1))
    except (IndexError, ValueError):
        if reader.at < len(data) - 64:  # not only the last sample cut off
            raise
