namespace KeyEvt.Proxy.Barrier.Echo;

/// <summary>What is known about how an upstream answers an unknown command?</summary>
/// <param name="Shape">The words around the name; null: not known.</param>
/// <param name="IsSilent">The upstream is known to leave the name out, so the place of a reply cannot be found.</param>
/// <param name="Guard">
/// How the upstream answers a client that has not logged in, if it leaves the name out for such a client. Null: as far as is known, it names an unknown command
/// to anybody.
/// </param>
internal readonly record struct EchoWords(EchoShape? Shape, bool IsSilent = false, LoginGuard? Guard = null);
