// How do values larger than memory is worth go in and out?
using System.Text;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

/// <summary>One value is made of equal pieces, and is sent and fetched piece by piece.</summary>
internal static class BigValues
{
    public const int MiB = 1024 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static async Task StoreAsync(RespClient client, string key, byte[] piece, int pieces)
    {
        await client.SendAsync($"*3\r\n$3\r\nSET\r\n${key.Length}\r\n{key}\r\n${(long)piece.Length * pieces}\r\n");
        for (var i = 0; i < pieces; i++) await client.SendAsync(piece, Patience);
        await client.SendAsync("\r\n");
        Assert.Equal("OK", (await client.ReadReplyAsync(Patience)).Text);
    }

    public static async Task FetchAsync(RespClient client, string key, byte[] piece, int pieces)
    {
        var header = $"${(long)piece.Length * pieces}\r\n";
        await client.SendCommandAsync("GET", key);
        Assert.Equal(header, Encoding.Latin1.GetString(await client.ReadBytesAsync(header.Length, Patience)));
        for (var i = 0; i < pieces; i++)
        {
            var got = await client.ReadBytesAsync(piece.Length, Patience);
            if (!piece.AsSpan().SequenceEqual(got)) Assert.Fail($"piece {i} differs");
        }
        Assert.Equal("\r\n", Encoding.Latin1.GetString(await client.ReadBytesAsync(2)));
    }

    /// <summary>Returns how far the program's memory rose at its peak above its size before the act, in bytes.</summary>
    public static async Task<long> GrowthAsync(ChildProcess program, Func<Task> act)
    {
        program.ResetPeak();
        var before = program.ResidentBytes;
        await act();
        return program.PeakResidentBytes - before;
    }
}
