"""Window sizes, and the script that finds elements wider than the window."""

NARROW, WIDE = {"width": 360, "height": 800}, {"width": 1440, "height": 900}

OVERFLOW = """() => [document.documentElement.scrollWidth - innerWidth, ...[...document.querySelectorAll("main *")]
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest("[tabindex='0'], .c-scroll, svg, .c-hide"))
  .slice(0, 2).map(e => e.outerHTML.slice(0, 140))]"""
