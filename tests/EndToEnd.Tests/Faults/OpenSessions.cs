// How many clients does the program serve?
using KeyEvt.Servers;

namespace KeyEvt.EndToEnd.Tests.Faults;

internal static class OpenSessions
{
    /// <summary>Waits until so many clients are connected. The one that asks is one of them.</summary>
    public static Task CountAsync(KeyEvtProcess program, int expected, TimeSpan deadline)
        => Eventually.ValueAsync($"{expected} sessions", async () => (await program.InfoAsync())["server.connected_clients"], count => count == $"{expected}", deadline);
}
