# Worker processes import this module, too, and serve nothing: the rest would only cost them memory.
if __name__ == "__main__":
    from racro.servekit.run import run
    from services.captioner.app import create_captioner
    from services.captioner.settings import CaptionerSettings

    run(
        "services.captioner",
        "The captioner: images and a question in, caption and tentative response out, over HTTP.",
        CaptionerSettings,
        create_captioner,
    )
