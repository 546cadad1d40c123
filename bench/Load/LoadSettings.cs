using System.Globalization;

namespace KeyEvt.Bench.Load;

/// <summary>How long is a run?</summary>
/// <param name="Rounds">Measured rounds; one more goes before them to warm up.</param>
/// <param name="Requests">Requests of each kind in one round without pipelining.</param>
internal sealed record LoadSettings(int Rounds = 5, int Requests = 100_000)
{
    public static bool TryParse(string[] args, out LoadSettings settings)
    {
        settings = new LoadSettings();
        for (var i = 0; i < args.Length; i += 2)
        {
            if (i + 1 == args.Length || !int.TryParse(args[i + 1], CultureInfo.InvariantCulture, out var number) || number < 1)
                return false;
            switch (args[i])
            {
                case "--rounds": settings = settings with { Rounds = number }; break;
                case "--requests": settings = settings with { Requests = number }; break;
                default: return false;
            }
        }
        return true;
    }
}
