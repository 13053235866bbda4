"""LARouter. `python app.py` opens the window; `python app.py serve` runs the server."""

from larouter.__main__ import main

if __name__ == "__main__":
    main()
