"""A PDF of text, curves, shadings, transparency and pictures. pdf.py > pages.pdf"""
import sys
import zlib

PAGES, LINES, CURVES = 8, 60, 300
SENTENCE = "Memory that nobody uses is the memory that nobody gave back; page %d, line %d."


def text(page):
    lines = "".join("(%s) Tj T*\n" % (SENTENCE % (page, line)) for line in range(LINES))
    return "BT /F1 9 Tf 11 TL 40 780 Td\n%sET\n" % lines


def curves(page):
    out = []
    for i in range(CURVES):
        x, y = (i * 37 + page * 11) % 560, (i * 53 + page * 7) % 760
        out.append("%.2f %.2f %.2f RG %.2f %.2f %.2f rg" % (
            i % 7 / 7, i % 5 / 5, i % 3 / 3, i % 3 / 3, i % 7 / 7, i % 5 / 5))
        out.append("%d %d m %d %d %d %d %d %d c %s" % (
            x, y, x + 40, y + 80, x + 90, y - 60, x + 120, y + 30, "b" if i % 2 else "S"))
    return "/G1 gs\n" + "\n".join(out) + "\n"


def picture(page):
    side = 160
    rows = bytes((x * y + c * page * 40 + x * 3) & 255
                 for y in range(side) for x in range(side) for c in range(3))
    head = ("/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB "
            "/BitsPerComponent 8" % (side, side))
    return head, rows


def stream(head, body):
    packed = zlib.compress(body, 6)
    return (b"<< %s /Filter /FlateDecode /Length %d >>\nstream\n" % (head.encode(), len(packed))
            + packed + b"\nendstream")


def objects():
    """Numbered from 1: catalogue, pages, font, transparency, shading, then three for each page."""
    kids = " ".join("%d 0 R" % (6 + 3 * page) for page in range(PAGES))
    yield b"<< /Type /Catalog /Pages 2 0 R >>"
    yield ("<< /Type /Pages /Count %d /Kids [%s] >>" % (PAGES, kids)).encode()
    yield b"<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman >>"
    yield b"<< /Type /ExtGState /ca 0.5 /CA 0.7 /BM /Multiply >>"
    yield (b"<< /ShadingType 2 /ColorSpace /DeviceRGB /Coords [0 0 595 842] /Extend [true true] "
           b"/Function << /FunctionType 2 /Domain [0 1] /C0 [1 0.9 0.8] /C1 [0.6 0.8 1] /N 1 >> >>")
    for page in range(PAGES):
        number = 6 + 3 * page
        yield ("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R /Resources << "
               "/Font << /F1 3 0 R >> /ExtGState << /G1 4 0 R >> /Shading << /S1 5 0 R >> "
               "/XObject << /I1 %d 0 R >> >> >>" % (number + 1, number + 2)).encode()
        content = "/S1 sh\n" + text(page) + curves(page) + "q 300 0 0 300 150 60 cm /I1 Do Q\n"
        yield stream("", content.encode())
        yield stream(*picture(page))


def main():
    out = bytearray(b"%PDF-1.5\n")
    places = []
    for number, body in enumerate(objects(), 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
    for place in places:
        out += b"%010d 00000 n \n" % place
    out += (b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
            % (len(places) + 1, table))
    sys.stdout.buffer.write(out)


main()
