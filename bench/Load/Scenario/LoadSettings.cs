using System.Globalization;

namespace KeyEvt.Bench.Load.Scenario;

/// <summary>How long is a run, and what of it is wanted?</summary>
/// <param name="Rounds">Measured rounds; others go before them to warm up.</param>
/// <param name="Requests">Requests of each kind in one round without pipelining.</param>
/// <param name="Shapes">Of scenario proxy: clients x pipeline x bytes, separated by commas; null: all it knows.</param>
/// <param name="Ways">Beginnings of their names, separated by commas; null: all.</param>
/// <param name="Builds">Further builds of the program, files separated by commas: each is a way of its own, so that two states of the code are compared in the same rounds.</param>
internal sealed record LoadSettings(int Rounds = 5, int Requests = 100_000, string? Shapes = null, string? Ways = null, string? Builds = null)
{
    public bool Wants(string way) => Ways?.Split(',').Any(wanted => way.StartsWith(wanted, StringComparison.OrdinalIgnoreCase)) != false;

    public static bool TryParse(string[] args, out LoadSettings settings)
    {
        settings = new LoadSettings();
        for (var i = 0; i < args.Length; i += 2)
        {
            if (i + 1 == args.Length) return false;
            var isNumber = int.TryParse(args[i + 1], CultureInfo.InvariantCulture, out var number) && number > 0;
            switch (args[i])
            {
                case "--rounds" when isNumber: settings = settings with { Rounds = number }; break;
                case "--requests" when isNumber: settings = settings with { Requests = number }; break;
                case "--shapes": settings = settings with { Shapes = args[i + 1] }; break;
                case "--ways": settings = settings with { Ways = args[i + 1] }; break;
                case "--builds": settings = settings with { Builds = args[i + 1] }; break;
                default: return false;
            }
        }
        return true;
    }
}
