from racro.cli import main

main()
