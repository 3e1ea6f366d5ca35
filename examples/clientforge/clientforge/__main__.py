"""python -m clientforge: serve the API."""

import argparse
from pathlib import Path

import uvicorn

from clientforge.app import create_app


def main() -> None:
    parser = argparse.ArgumentParser(prog="clientforge", description="Serve the ClientForge example CRM.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--logs", type=Path, default=Path("logs"), help="folder of combined.log and error.log")
    args = parser.parse_args()
    uvicorn.run(create_app(args.logs), host=args.host, port=args.port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
