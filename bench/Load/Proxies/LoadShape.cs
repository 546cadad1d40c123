using System.Globalization;

namespace KeyEvt.Bench.Load.Proxies;

/// <summary>How is one run of redis-benchmark shaped?</summary>
internal sealed record LoadShape(int Clients, int Pipeline, int ValueBytes)
{
    /// <summary>Clients from one to many, pipelines from none to deep, values from small to large; the ordinary one first.</summary>
    public static readonly IReadOnlyList<LoadShape> All =
    [
        new(50, 1, 32), new(50, 16, 32), new(50, 1, 100_000), new(50, 1, 4096), new(50, 100, 32), new(1, 1, 32), new(500, 1, 32), new(5000, 1, 32),
    ];

    /// <summary>The same by few clients: redis-benchmark pauses 50 ms after each 64 connections it opens, 4 s for 5,000, and that warms nothing.</summary>
    public LoadShape WarmUp => this with { Clients = Math.Min(Clients, 50) };

    /// <summary>More where one costs less, fewer where it costs more, so that every run takes seconds.</summary>
    public int Requests(int unpipelined) => ValueBytes > 50_000 ? unpipelined / 4 : Clients == 1 ? unpipelined / 2 : unpipelined * Math.Min(Pipeline, 10);

    public static LoadShape Parse(string text)
    {
        var parts = text.Split('x');
        return new(Number(parts[0]), Number(parts[1]), Number(parts[2]));
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"c={Clients} P={Pipeline} {ValueBytes} B");

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
