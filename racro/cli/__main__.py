from racro.cli import app

app(prog_name="racro")
