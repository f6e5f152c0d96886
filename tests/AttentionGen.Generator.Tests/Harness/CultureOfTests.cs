using System.Globalization;
using System.Runtime.CompilerServices;

namespace AttentionGen.Generator.Tests.Harness;

/// <summary>All tests run under sv-SE, whose minus is U+2212: what depends on the culture of a build shows in any of them.</summary>
internal static class CultureOfTests
{
    public const string Name = "sv-SE";

    /// <summary>Before the first test, on every thread. Not by xunit.runner.json: where .NET has no cultures, its runner never ends.</summary>
    [ModuleInitializer]
    internal static void Set()
    {
        try
        {
            CultureInfo.DefaultThreadCurrentCulture = CultureInfo.DefaultThreadCurrentUICulture = CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo(Name);
        }
        catch (CultureNotFoundException)
        {
            // A test says so.
        }
    }
}
