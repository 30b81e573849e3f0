from rgan.cli.main import main

raise SystemExit(main())
