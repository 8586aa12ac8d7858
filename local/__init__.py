"""The laptop: `template.yaml`, deployed to an embedded AWS on 127.0.0.1.

`run` starts and stops everything. `emulator` is the embedded AWS, `stack` deploys to it,
`environment` and `fleet` run the functions, `routes` and `gateway` are the HTTP API in front,
`bridge` lets the emulator's triggers reach the functions, `demo` tells the story over HTTP.
"""
