using KeyEvt.Proxy.Session;

namespace KeyEvt.Proxy.Barrier;

/// <summary>
/// With replies switched off, a push or message came exactly between the +OK of the proxy's CLIENT REPLY ON and the line behind it. So the client has got a +OK
/// that does not belong to it, and its session ends: see <see cref="SessionEndReason.PlaceLost"/>.
/// </summary>
internal sealed class PlaceLostException() : Exception("a message came between the answers to the proxy's own commands");
