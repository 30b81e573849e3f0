from rgan.cli import main

raise SystemExit(main())
