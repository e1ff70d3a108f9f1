-- For wrk, in the repository's folder: asks for the Predictions of iris.json.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = io.open("examples/requests/iris.json"):read("*a")
