// What happens in the random session of one seed?
using System.Text;
using KeyEvt.Servers;

namespace KeyEvt.EndToEnd.Tests.Fidelity;

/// <summary>A few connections that take turns: the same seed gives the same bytes in the same cuts.</summary>
internal static class RandomSession
{
    public const int Connections = 3;

    // Nothing that blocks: whether its time is over before the end of the sending is noticed is chance, with Redis alone too.
    private static readonly string[] Endings =
    [
        "", // the client ends its sending
        "PING\r\nQUIT\r\n",
        "QUIT\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$3\r\nabc\r\n",
        "ECHO \"unbalanced\r\n",
        "GET k1\r\n*1\r\n$x\r\n",
        "*2147483648\r\n",
        "*1\r\n$536870913\r\n",
        "POST / HTTP/1.1\r\n",
        "CLIENT REPLY OFF\r\nPING\r\n",
        "MULTI\r\nSET k1 never\r\n",
        "GET k1\r\n*3\r\n$3\r\nSET\r\n$2\r\nk1\r\n$10\r\ncut",
    ];

    public static IReadOnlyList<Turn> Of(int seed)
    {
        var random = new Random(seed);
        var scenes = new RandomScenes(random);
        var turns = new List<Turn>();
        for (var n = random.Next(6, 30); n > 0; n--) turns.Add(Middle(random, scenes, $"m{seed}-{n}"));
        for (var connection = 0; connection < Connections; connection++)
        {
            var end = Encoding.Latin1.GetBytes(Endings[random.Next(Endings.Length)]);
            turns.Add(new Turn(connection, end, end, null, NextCutting(random, end.Length)));
        }
        return turns;
    }

    private static Turn Middle(Random random, RandomScenes scenes, string marker)
    {
        using var direct = new MemoryStream();
        using var proxied = new MemoryStream();
        for (var n = random.Next(1, 6); n > 0; n--)
        {
            var scene = scenes.Next();
            direct.Write(scene);
            proxied.Write(scene);
            if (random.Next(4) == 0) WriteTwins(direct, proxied);
        }
        var last = RespClient.Command("PING", marker);
        direct.Write(last);
        proxied.Write(last);
        return new Turn(random.Next(Connections), direct.ToArray(), proxied.ToArray(), marker + "\r\n", NextCutting(random, (int)direct.Length));
    }

    /// <summary>A command of the proxy's own beside one of Redis' with the same answer; RESET in front, as a subscribed connection would get different errors.</summary>
    private static void WriteTwins(MemoryStream direct, MemoryStream proxied)
    {
        var before = RespClient.Command("RESET");
        direct.Write(before);
        proxied.Write(before);
        direct.Write(RespClient.Command("LRANGE", "none", "0", "-1"));
        proxied.Write(RespClient.Command("key_evt_amqp.keymask_get"));
    }

    private static Cutting NextCutting(Random random, int length)
    {
        var write = random.Next(5) switch
        {
            0 when length < 4000 => 1,
            0 or 1 => 100,
            2 => 1500,
            3 => 20_000,
            _ => int.MaxValue,
        };
        int[] reads = [length < 4000 ? 1 : 64, 100, 4096, 65536];
        return new Cutting(random.Next(), write, reads[random.Next(reads.Length)]);
    }
}
