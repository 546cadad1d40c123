namespace KeyEvt.Proxy.Intercept;

/// <summary>What is known of how an upstream answers an unknown command?</summary>
/// <param name="Shape">The words around the name; null: not known.</param>
/// <param name="IsSilent">It is known that it leaves the name out, so the place of a reply cannot be found.</param>
internal readonly record struct EchoWords(EchoShape? Shape, bool IsSilent = false);
