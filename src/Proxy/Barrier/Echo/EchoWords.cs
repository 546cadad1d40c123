namespace KeyEvt.Proxy.Barrier.Echo;

/// <summary>What is known of how an upstream answers an unknown command?</summary>
/// <param name="Shape">The words around the name; null: not known.</param>
/// <param name="IsSilent">It is known that it leaves the name out, so the place of a reply cannot be found.</param>
/// <param name="Guard">How it answers a client that has not logged in, where it then leaves the name out; null: it names an unknown command to anybody, as far as is known.</param>
internal readonly record struct EchoWords(EchoShape? Shape, bool IsSilent = false, LoginGuard? Guard = null);
