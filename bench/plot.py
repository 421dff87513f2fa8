"""A bar chart with a logarithmic scale as SVG, written by hand."""

import math
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, BAR, GAP, TOP = 900, 190, 70, 18, 14, 74
COLOURS = {"Vitrine": "#0b6e4f", "clamscan": "#c8553d", "yara": "#8d6cab", "Vectorscan": "#4a7fb0"}


def colour(label):
    for name, value in COLOURS.items():
        if label.startswith(name):
            return value
    return "#777"


def text(x, y, s, extra=""):
    return '<text x="%.1f" y="%.1f" %s>%s</text>' % (x, y, extra, escape(s))


def plot(title, below, groups):
    """Returns the SVG. groups: [(heading, [(label, MB per second), …]), …]; below: a line of text
    below the title."""
    values = [v for _, bars in groups for _, v in bars]
    low = math.floor(math.log10(min(values)))
    high = math.ceil(math.log10(max(values)))
    unit = (WIDTH - LEFT - RIGHT) / (high - low)
    body, y = [], TOP
    for heading, bars in groups:
        body.append(text(8, y + 12, heading, 'font-weight="bold"'))
        y += BAR + 2
        for label, value in bars:
            length = (math.log10(value) - low) * unit
            body.append(text(LEFT - 8, y + 13, label, 'text-anchor="end"'))
            body.append('<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>'
                        % (LEFT, y, max(1, length), BAR - 3, colour(label)))
            figure = "%.3g" % value if value < 1000 else "%.0f" % value
            body.append(text(LEFT + length + 5, y + 12, figure))
            y += BAR
        y += GAP
    grid = []
    for power in range(low, high + 1):
        x = LEFT + (power - low) * unit
        grid.append('<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#ddd"/>'
                    % (x, x, TOP - 8, y))
        grid.append(text(x, TOP - 13, "%g" % 10 ** power, 'text-anchor="middle" fill="#666"'))
    head = ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
            'font-family="sans-serif" font-size="12">\n'
            '<rect width="100%%" height="100%%" fill="#fff"/>' % (WIDTH, y))
    heading = [text(8, 20, title, 'font-size="15" font-weight="bold"'), text(8, 37, below)]
    return "\n".join([head, *heading, *grid, *body, "</svg>"]) + "\n"
