using System.Diagnostics;
using Xunit;

namespace KeyEvt.Proxy.Tests.Session;

/// <summary>Waits for a condition, with a reason and a deadline.</summary>
internal static class Eventually
{
    public static async Task TrueAsync(Func<bool> condition, string reason)
    {
        var waited = Stopwatch.StartNew();
        while (!condition())
        {
            if (waited.Elapsed > TimeSpan.FromSeconds(20)) Assert.Fail($"not within 20 s: {reason}");
            await Task.Delay(5);
        }
    }
}
