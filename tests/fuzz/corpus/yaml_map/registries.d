# comment
default-docker:
  lookaside: file:///var/lib/containers/sigstore   # here
docker:
    'localhost:5000':
        sigstore: "https://x/y"
    example.com/team:
        use-sigstore-attachments: true
        empty:
